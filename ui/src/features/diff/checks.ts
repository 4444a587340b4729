import type { Gives, Schemas } from '@/shared/api/checks';
import type { TraceDiff } from './types';

/** What this page reads, held against what the server sends. */
export type Checks = [Gives<TraceDiff, Schemas['TraceDiff']>];

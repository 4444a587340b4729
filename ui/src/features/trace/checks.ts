import type { Gives, Schemas } from '@/shared/api/checks';
import type { TreeAnswer } from './columns';
import type { Summary } from './DiffDialog';
import type { Replayed } from './ReplayDialog';
import type { Share } from './ShareDialog';

/** What these pages read, held against what the server sends. */
export type Checks = [
  Gives<TreeAnswer, Schemas['Tree']>,
  Gives<{ items: Share[] }, Schemas['ShareList']>,
  Gives<Share, Schemas['NewShare']>,
  Gives<Replayed, Schemas['Replayed']>,
  Gives<Summary, Schemas['TraceSummary']>,
];

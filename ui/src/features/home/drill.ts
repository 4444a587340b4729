import type { Grouping } from './search';

/** The filter field that selects a group of a chart. */
export const fieldOf: Record<Grouping, string> = { model: 'model', user: 'user', key: 'key_alias', team: 'team_alias', client: 'client', status: 'status' };

import type { components } from './schema';
import type { Canonical } from '../chat/canonical';
import type { Comment, Score, ScoreName } from '../notes/api';
import type * as my from './types';

/**
 * The types the pages use are held against those generated from docs/openapi.json: if the server stops sending what a
 * page reads, or sends another type, this file no longer compiles.
 */
type S = components['schemas'];
export type Schemas = S;
export type Gives<Want, Got extends Want> = [Want, Got];

export type Checks = [
  Gives<my.Me, S['Me']>,
  Gives<my.TraceRow, S['TraceRow']>,
  Gives<my.Span, S['Span']>,
  Gives<my.Trace, S['Trace']>,
  Gives<my.SessionRow, S['SessionRow']>,
  Gives<my.SessionDetail, S['Session']>,
  Gives<my.SessionCall, S['SessionCall']>,
  Gives<my.Aggregate, S['Aggregation']>,
  Gives<{ fields: my.FieldInfo[] }, S['FieldList']>,
  Gives<{ values: my.FacetValue[] }, S['Facets']>,
  Gives<my.KeyInfo, S['KeyInfo']>,
  Gives<S['KeyFields'], my.KeyFields>,
  Gives<my.Team, S['TeamInfo']>,
  Gives<my.Model, Omit<S['ModelInfo'], 'abilities'> & { abilities: Record<keyof S['Abilities'], boolean> }>,
  Gives<my.System, S['SystemState']>,
  Gives<my.ConnectInfo, S['Connection']>,
  Gives<Canonical, S['Conversation']>,
  Gives<{ items: Score[] }, S['ScoreList']>,
  Gives<{ names: ScoreName[] }, S['ScoreNames']>,
  Gives<{ items: Comment[] }, S['CommentList']>,
];

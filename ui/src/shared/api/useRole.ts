import { useQuery } from '@tanstack/react-query';
import { meQuery } from './queries';

/** Whether the reader may change anything. Unknown counts as yes: the server decides. */
export function useMayWrite(): boolean {
  return useQuery(meQuery).data?.role !== 'viewer';
}

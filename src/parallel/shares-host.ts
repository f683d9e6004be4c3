import type { Communicator } from './communicator.ts';

/** Whether another of the processes runs on this one's host. */
export function sharesHost({ hosts, rank }: Communicator): boolean {
  return hosts.some((host, i) => i !== rank && host === hosts[rank]);
}

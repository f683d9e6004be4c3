import type { Communicator } from './communicator.ts';

/** Whether another process runs on the same host. */
export function sharesHost({ hosts, rank }: Communicator): boolean {
  return hosts.some((host, i) => i !== rank && host === hosts[rank]);
}

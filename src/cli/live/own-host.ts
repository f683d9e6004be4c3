/**
 * Whether a request's Host is this machine's own address. Rejects requests from pages of other names that
 * resolve to 127.0.0.1 (DNS rebinding).
 */
export function isOwnHost(host: string | undefined, port: number): boolean {
  return host === `127.0.0.1:${port}` || host === `localhost:${port}`;
}

/**
 * Whether a request's Host is this machine's own address. Without this check, a page under another name that
 * resolves to 127.0.0.1 could send requests (DNS rebinding).
 */
export function isOwnHost(host: string | undefined, port: number): boolean {
  return host === `127.0.0.1:${port}` || host === `localhost:${port}`;
}

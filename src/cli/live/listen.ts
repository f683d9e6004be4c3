import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UserError } from '../../support/user-error.ts';

/**
 * Listens on the loopback address, which other machines cannot reach.
 *
 * @param hint the instruction in the error message
 * @throws UserError if the port is not available
 */
export function listen(
  server: Server,
  port: number,
  hint = 'Remove --port to use any free port.',
): Promise<AddressInfo> {
  return new Promise((done, fail) => {
    server.once('error', ({ code }: NodeJS.ErrnoException) => {
      fail(
        new UserError({
          where: `--port ${port}`,
          fault: code === 'EADDRINUSE' ? 'is in use' : `was refused by the system (${code})`,
          hint,
        }),
      );
    });
    server.listen(port, '127.0.0.1', () => done(server.address() as AddressInfo));
  });
}

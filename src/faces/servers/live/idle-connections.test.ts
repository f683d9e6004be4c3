import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { limitConnections } from './live-server.ts';

const sockets: Socket[] = [];
const server = createServer((_, response) => response.end('here'));
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

it('idle connections do not block others', async () => {
  limitConnections(server, 8);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (let i = 0; i < 30; i++) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    sockets.push(socket);
    await once(socket, 'connect');
  }
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('here');
});

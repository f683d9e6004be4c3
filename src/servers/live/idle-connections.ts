import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Limits the connections of a server. Beyond `most` connections, the longest idle one is closed. Connections
 * with a pending response stay.
 */
export function limitConnections(server: Server, most: number): void {
  const all = new Set<Socket>();
  // Idle sockets, the longest idle first.
  const idle = new Set<Socket>();
  server.on('connection', (socket) => {
    all.add(socket);
    idle.add(socket);
    socket.once('close', () => {
      all.delete(socket);
      idle.delete(socket);
    });
    if (all.size <= most) return;
    const [oldest] = idle;
    oldest!.destroy();
  });
  server.on('request', ({ socket }, response) => {
    idle.delete(socket);
    response.once('close', () => {
      if (!socket.destroyed) idle.add(socket);
    });
  });
}

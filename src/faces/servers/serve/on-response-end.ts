import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** The callbacks of each connection's responses that have not ended. */
const unended = new WeakMap<Socket, Set<() => void>>();

/**
 * Calls `onEnd` once a response has been sent, or can no longer be sent. A pipelined response gets no `close`
 * event if its connection ends before its turn.
 */
export function onResponseEnd(response: ServerResponse, socket: Socket, onEnd: () => void): void {
  const all = unended.get(socket) ?? watched(socket);
  const end = () => {
    if (!all.delete(end)) return;
    onEnd();
  };
  all.add(end);
  response.once('close', end);
}

/** Adds one listener per connection, because Node warns of a leak if there are many. */
function watched(socket: Socket): Set<() => void> {
  const all = new Set<() => void>();
  unended.set(socket, all);
  socket.once('close', () => {
    for (const end of all) end();
  });
  return all;
}

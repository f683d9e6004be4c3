import type { Call, Cancel, Port, Reply } from './call.ts';

/** The context of every method besides its arguments. */
export interface Answering {
  /** Aborted when the caller no longer waits. */
  signal: AbortSignal;
  /** Sends the caller a message before the answer. */
  tell(update: unknown): void;
}

/**
 * Answers calls that a `Caller` makes at the other end of a port.
 *
 * @param plain turns an error into plain data
 */
export function answerCalls(
  answer: (call: Call, answering: Answering) => Promise<unknown>,
  port: Port<Call | Cancel>,
  plain: (error: unknown) => unknown,
): void {
  const underWay = new Map<number, AbortController>();
  const send = (reply: Reply) => port.send(reply);
  port.onMessage(async (message) => {
    if ('cancel' in message) return underWay.get(message.cancel)?.abort(new Error('the caller has gone'));
    const { id } = message;
    const controller = new AbortController();
    underWay.set(id, controller);
    try {
      const tell = (update: unknown) => send({ id, update });
      send({ id, value: await answer(message, { signal: controller.signal, tell }) });
    } catch (error) {
      send({ id, error: plain(error) });
    } finally {
      underWay.delete(id);
    }
  });
}

import type { Call, Cancel, Port, Reply } from './calls.ts';
import { plainError } from './plain-error.ts';
import type { PredictRequest, Service, WriteRequest } from './service.ts';

/** Answers what a {@link RemoteService} at the other end of a port asks, with a service of this thread. */
export function answerCalls(service: Service, port: Port<Call | Cancel>): void {
  const underWay = new Map<number, AbortController>();
  const send = (reply: Reply) => port.send(reply);

  const answer = (call: Call, signal: AbortSignal): Promise<unknown> => {
    const [first, second] = call.args as [string, string];
    switch (call.method) {
      case 'models':
        return service.models();
      case 'predict':
        return service.predict(call.args[0] as PredictRequest, signal);
      case 'write':
        return service.write(call.args[0] as WriteRequest, signal, (text) => send({ id: call.id, text }));
      case 'load':
        return service.load(first, second);
      case 'unload':
        return service.unload(first);
      case 'close':
        return service.close();
    }
  };

  port.onMessage(async (message) => {
    if ('cancel' in message) return underWay.get(message.cancel)?.abort(new Error('nobody waits for it'));
    const { id } = message;
    const controller = new AbortController();
    underWay.set(id, controller);
    try {
      send({ id, value: await answer(message, controller.signal) });
    } catch (error) {
      send({ id, error: plainError(error) });
    } finally {
      underWay.delete(id);
    }
  });
}

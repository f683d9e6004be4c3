import { type Answering, answerCalls } from '../../../support/calls/answer-calls.ts';
import type { Call, Cancel, Port } from '../../../support/calls/call.ts';
import { plainError } from './plain-error.ts';
import type { EmbedRequest, PredictRequest, Service, WriteRequest } from './service.ts';

/** Lets a service of this thread answer the calls of a {@link RemoteService} at the other end of a port. */
export function answerService(service: Service, port: Port<Call | Cancel>): void {
  const answer = ({ method, args }: Call, { signal, tell }: Answering): Promise<unknown> => {
    const [first, second] = args as [string, string];
    switch (method as keyof Service) {
      case 'models':
        return service.models();
      case 'predict':
        return service.predict(args[0] as PredictRequest, signal);
      case 'embed':
        return service.embed(args[0] as EmbedRequest, signal);
      case 'write':
        return service.write(args[0] as WriteRequest, signal, tell);
      case 'load':
        return service.load(first, second);
      case 'unload':
        return service.unload(first);
      case 'close':
        return service.close();
    }
  };
  answerCalls(answer, port, plainError);
}

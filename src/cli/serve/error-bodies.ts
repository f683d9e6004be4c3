import type { Failure } from './failure.ts';

/** What OpenAI's interface calls kinds of errors. */
function typeOf(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 404) return 'not_found_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

/** An error as OpenAI's interface has it: its clients show the message. */
export function openAiError({ status, message, param, code }: Failure) {
  return { error: { message, type: typeOf(status), param: param ?? null, code: code ?? null } };
}

const EMBEDDINGS_TYPES: Readonly<Partial<Record<number, string>>> = {
  400: 'empty',
  401: 'unauthorized',
  404: 'not_found',
  503: 'overloaded',
  504: 'timeout',
  500: 'backend',
};

/** An error as text-embeddings-inference has it. */
export function embeddingsError({ status, message }: Failure) {
  return { error: message, error_type: EMBEDDINGS_TYPES[status] ?? 'validation' };
}

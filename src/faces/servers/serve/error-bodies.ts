import type { HttpFailure } from './failure.ts';

/** The kinds of errors in OpenAI's API. */
function typeOf(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 404) return 'not_found_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

/** An error in OpenAI's format; OpenAI clients show the message. */
export function openAiError({ status, message, param, code }: HttpFailure) {
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

/** An error in the format of text-embeddings-inference. */
export function embeddingsError({ status, message, code }: HttpFailure) {
  // text-embeddings-inference calls any other body with status 400 empty.
  const isInvalid = code?.startsWith('invalid_');
  const type = isInvalid ? undefined : EMBEDDINGS_TYPES[status];
  return { error: message, error_type: type ?? 'validation' };
}

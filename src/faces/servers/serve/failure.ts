import { FileTooLarge } from '../../../input/media/medium.ts';
import { PromptTooLong } from '../../../program/generation/search.ts';
import { ComputationError, UserError } from '../../../support/user-error.ts';
import { BadFile, NotThere, Overloaded, UnknownModel } from '../../../use/serving/service/service-errors.ts';

/** The kinds of errors in OpenAI's API. */
function nameType(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 404) return 'not_found_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

/** An error in OpenAI's format; OpenAI clients show the message. */
export function openAiError({ status, message, param, code }: HttpFailure) {
  return { error: { message, type: nameType(status), param: param ?? null, code: code ?? null } };
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

/** A request that a route rejects, and the status of its response. */
export class Refused extends Error {
  override name = 'Refused';

  constructor(
    readonly status: 400 | 401 | 404 | 413 | 415 | 421 | 422 | 503,
    message: string,
    /** The key of the body that caused the failure. */
    readonly param?: string,
    readonly code?: 'invalid_json' | 'invalid_form',
  ) {
    super(message);
  }
}

/** Thrown if a request exceeds its time limit. */
export class TimedOut extends Error {
  override name = 'TimedOut';
}

type FailureStatus = 400 | 401 | 404 | 405 | 413 | 415 | 421 | 422 | 499 | 500 | 503 | 504;

/** A failed request, in a form that every route shares. */
export interface HttpFailure {
  status: FailureStatus;
  message: string;
  /** The key of the body that caused the failure, if any. */
  param?: string;
  /** OpenAI's error code. */
  code?:
    | 'model_not_found'
    | 'context_length_exceeded'
    | 'invalid_json'
    | 'invalid_form'
    | 'invalid_image'
    | 'image_too_large';
  /** Seconds after which to retry. */
  retryAfter?: number;
}

/** Seconds after which a client should retry when the server is full. */
const RETRY_AFTER = 1;

interface KnownError {
  kind: abstract new (...args: never[]) => Error;
  status: FailureStatus;
  code?: HttpFailure['code'];
  /** Whether its message may name files of the server. */
  namesFiles?: boolean;
}

/** The errors of a service, subclasses before their base. */
const KNOWN: readonly KnownError[] = [
  { kind: UnknownModel, status: 404, code: 'model_not_found' },
  { kind: NotThere, status: 404, namesFiles: true },
  { kind: PromptTooLong, status: 422, code: 'context_length_exceeded' },
  { kind: BadFile, status: 400, code: 'invalid_image' },
  { kind: FileTooLarge, status: 413, code: 'image_too_large' },
  { kind: UserError, status: 422, namesFiles: true },
  { kind: TimedOut, status: 504, namesFiles: true },
  { kind: ComputationError, status: 500, namesFiles: true },
];

/**
 * Converts an error to the failure of a request.
 *
 * @param isGone whether the client has disconnected
 */
export function httpFailure(error: unknown, isGone: boolean): HttpFailure {
  if (isGone) return { status: 499, message: 'the client closed the connection' };
  if (error instanceof Overloaded) return { status: 503, message: error.message, retryAfter: RETRY_AFTER };
  if (error instanceof Refused) {
    const { status, message, param, code } = error;
    return {
      status,
      message,
      param,
      code,
      retryAfter: status === 503 ? RETRY_AFTER : undefined,
    };
  }
  const known = KNOWN.find(({ kind }) => error instanceof kind);
  if (known) {
    const { status, code, namesFiles } = known;
    const { message } = error as Error;
    return { status, message: namesFiles ? withoutFolders(message) : message, code };
  }
  return { status: 500, message: 'an error of the server; see its log' };
}

/** Removes the folders from absolute paths. Clients should not learn where the server keeps its files. */
function withoutFolders(message: string): string {
  return message.replace(/(?<=^|[\s"'`(])(?:[A-Za-z]:)?[\\/](?:[^\s\\/"'`]+[\\/]){2,}/g, '');
}

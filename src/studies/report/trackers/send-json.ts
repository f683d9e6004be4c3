import { readBody } from '../../../input/formats/fetch-source.ts';
import { UserError } from '../../../support/user-error.ts';
import type { Environment } from './tracker-queue.ts';

/** Limit for a request. A server that does not answer must not delay the end of a run for long. */
const TIMEOUT_MS = 10_000;
/** The largest answer to read. Answers only contain a few ids. */
const MAX_ANSWER = 2 ** 20;
const MAX_MESSAGE = 200;

/** Thrown for an answer with another status than 2xx. */
export class RefusedRequest extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** A server, and the header that identifies the user. */
export interface Server {
  base: string;
  authorization?: string;
}

/**
 * The server at the address in an environment variable. A user and password in the address become the authorization
 * header.
 *
 * @throws UserError for anything but an http address; its message omits the value, which may contain a password
 */
export function serverAt(environment: Environment, variable: string, fallback?: string): Server {
  const address = environment[variable] || fallback;
  const url = address !== undefined && URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol === 'https:' || url?.protocol === 'http:') {
    const { username, password } = url;
    url.username = '';
    url.password = '';
    const base = url.href.replace(/\/+$/, '');
    if (username === '') return { base };
    return { base, authorization: basic(decodeURIComponent(username), decodeURIComponent(password)) };
  }
  throw new UserError({
    key: 'training.report_to',
    fault: `needs the environment variable ${variable}, the http address of a server`,
  });
}

export function basic(user: string, password: string): string {
  return `Basic ${btoa(`${user}:${password}`)}`;
}

/**
 * Sends JSON and returns the parsed response.
 *
 * @param body missing for a GET request
 * @throws Error with the server's name and its message, without the address's query and the headers
 */
export async function sendJson(
  { base, authorization }: Server,
  path: string,
  body?: unknown,
): Promise<Record<string, unknown>> {
  const { host } = new URL(base);
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${base}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        ...(authorization !== undefined && { authorization }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    text = new TextDecoder().decode(await readBody(response, MAX_ANSWER, 1024));
  } catch (error) {
    const { message, cause } = error as Error;
    throw new Error(`${host} did not answer (${cause instanceof Error ? cause.message : message})`);
  }
  if (!response.ok) throw new RefusedRequest(response.status, refusal(host, response.status, text));
  try {
    return Object(text === '' ? {} : JSON.parse(text));
  } catch {
    throw new Error(`${host} did not answer with JSON`);
  }
}

function refusal(host: string, status: number, text: string): string {
  const said = /"(?:message|error)"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1]?.slice(0, MAX_MESSAGE);
  return `${host} answered ${status}${said ? `: ${said}` : ''}`;
}

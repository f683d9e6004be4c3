import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { MEDIA } from '../../../../input/media/media.ts';
import type { ServedText } from '../../../../use/serving/service/service.ts';
import { Refused } from '../failure.ts';
import type { ServeEnv } from '../request-scope.ts';

/** Names of the form fields with files. They may occur several times. */
const FIELDS = MEDIA.map(({ name }) => name);
const MAX_NAME = 100;

/** A form with files. */
interface MediaForm {
  inputs: ServedText[];
  /** Whether it has several files, so that the answer is a list. */
  isList: boolean;
  /** The other fields. */
  fields: Readonly<Record<string, string>>;
}

/**
 * The content of a request with files, for the API description. A plain schema, because the framework would validate
 * JSON with a zod schema.
 */
export function mediaFormContent(fields: Readonly<Record<string, 'string' | 'boolean'>>): object {
  const others = Object.entries(fields).map(([name, type]) => [name, { type }]);
  const files = FIELDS.map((name) => [name, { type: 'array', items: { type: 'string', format: 'binary' } }]);
  const properties = Object.fromEntries([...files, ...others]);
  return { 'multipart/form-data': { schema: { type: 'object', properties } } };
}

/**
 * Reads the body of a request that sends files as a form. Undefined for any other request.
 *
 * @throws Refused for a damaged form, and for a form without files or with unknown fields
 */
export async function readMediaForm(
  c: Context<ServeEnv>,
  known: readonly string[],
  most: number,
  files: readonly string[] = FIELDS,
): Promise<MediaForm | undefined> {
  const type = c.req.header('content-type') ?? '';
  // The framework would accept this kind of form in the place of the other one.
  if (/^application\/x-www-form-urlencoded\b/i.test(type)) throw new HTTPException(415);
  if (!/^multipart\/form-data\b/i.test(type)) return undefined;
  const form = await c.req.formData().catch((error: unknown) => {
    if (error instanceof Refused) throw error;
    throw new Refused(400, 'The request body is not valid multipart/form-data.', undefined, 'invalid_form');
  });
  const fields: Record<string, string> = {};
  const inputs: ServedText[] = [];
  for (const [name, value] of form) {
    if (files.includes(name)) inputs.push(await readInput(value));
    else if (known.includes(name) && typeof value === 'string') fields[name] = value;
    else throw new Refused(422, `\`${name.slice(0, MAX_NAME)}\` is not supported.`, name.slice(0, MAX_NAME));
    if (inputs.length > most)
      throw new Refused(413, `The form has more than ${most} files. Send several requests.`, name);
  }
  if (inputs.length === 0) throw new Refused(400, `\`${files.join('` or `')}\` must be a file.`, files[0]);
  return { inputs, isList: inputs.length > 1, fields };
}

/** @param value a file, or a text with its bytes in base64 */
async function readInput(value: File | string): Promise<ServedText> {
  if (typeof value === 'string') return { text: '', file: value };
  return { text: value.name.slice(0, MAX_NAME), file: new Uint8Array(await value.arrayBuffer()) };
}

/** @throws Refused for a value other than true and false */
export function flagIn({ fields }: MediaForm, name: string, byDefault: boolean): boolean {
  const value = fields[name] ?? `${byDefault}`;
  if (value === 'true' || value === 'false') return value === 'true';
  throw new Refused(
    422,
    `\`${name}\` must be true or false, got ${JSON.stringify(value.slice(0, MAX_NAME))}.`,
    name,
  );
}

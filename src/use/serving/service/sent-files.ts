import { FileTooLarge, type Medium } from '../../../input/media/medium.ts';
import type { Contents } from '../../../program/modalities/contents.ts';
import { addUp } from '../../../support/numbers.ts';
import { Turns } from '../../../support/turns.ts';
import { UserError } from '../../../support/user-error.ts';
import type { ServedText } from './service.ts';
import { BadFile } from './service-errors.ts';

/** Characters of a text that may be before its base64, and that are decoded before the rest. */
const MAX_PREFIX = 200;
const HEAD = 128;

const DATA_URL = /^data:[\w.+-]+\/[\w.+-]+;base64,/;

/** Decodes the files of requests. */
export class SentFiles {
  /** The files of one request at a time, because a decoded image takes up to 100 MB. */
  readonly #turns = new Turns();

  /**
   * Reads the files of a request: their bytes, or a text with the bytes in base64.
   *
   * @throws BadFile for a text that is not base64 and for a damaged file; FileTooLarge; the signal's reason
   */
  async read(
    inputs: readonly ServedText[],
    contents: Contents,
    signal?: AbortSignal,
  ): Promise<readonly unknown[]> {
    const { medium } = contents;
    const { unit, count, each, together } = medium.request;
    const files = inputs.map(({ text, pair, file }, i) => {
      const where = file && text !== '' ? text : `inputs[${i}]`;
      const sent = file ?? text;
      if (pair !== undefined) throw bad(where, `is a pair of texts, but the model reads ${medium.plural}`);
      return { text: where, bytes: typeof sent === 'string' ? fromBase64(sent, where, medium) : sent };
    });
    const sum = addUp(files, ({ bytes }) => count(bytes) ?? 0);
    if (sum > together)
      throw new FileTooLarge({
        where: 'inputs',
        fault: `have ${sum} ${unit}, more than ${together / 1e6} million in one request`,
      });
    return this.#turns.run(async () => {
      signal?.throwIfAborted();
      try {
        return await contents.readInputs(
          files.map(({ text, bytes }) => ({ text, [medium.name]: bytes })),
          each,
        );
      } catch (error) {
        if (!(error instanceof UserError) || error instanceof FileTooLarge) throw error;
        throw new BadFile(error.message);
      }
    });
  }
}

function fromBase64(text: string, where: string, { name, recognizes }: Medium): Uint8Array {
  if (/^(https?|file|ftp):/i.test(text))
    throw bad(where, 'is an address, which the server does not open', `Send the ${name} itself in base64.`);
  const start = DATA_URL.exec(text.slice(0, MAX_PREFIX))?.[0].length ?? 0;
  try {
    const head = decodeBase64(
      text
        .slice(start, start + HEAD)
        .replace(/\s/g, '')
        .slice(0, HEAD / 2),
    );
    // The reader rejects other files by their head.
    if (head.length > 0) return recognizes(head) ? decodeBase64(text.slice(start)) : head;
  } catch {}
  throw bad(
    where,
    `is no ${name} in base64`,
    'Send the bytes of a file, also as a data URL, or use multipart/form-data.',
  );
}

/** Spaces and line breaks are removed, and the URL alphabet is accepted. */
function decodeBase64(text: string): Uint8Array {
  const characters = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

function bad(where: string, fault: string, hint?: string): BadFile {
  return new BadFile({ where, fault, hint });
}

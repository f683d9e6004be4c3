import { Effort, TooMuchEffort } from '../../../support/regex/effort.ts';
import { InvalidFile } from '../../../support/user-error.ts';
import { BYTE_CHARACTERS } from './bpe.ts';
import { compilePattern, type Find } from './compile-pattern.ts';
import type { AddedToken, DecoderStep } from './tokenizer-json.ts';

/**
 * The steps that a tokenizer's patterns and other steps may take for a text, about two seconds. A text of the maximum
 * length, a million characters, takes 20 million with the patterns of known models.
 */
export const MAX_STEPS = 2 ** 27;

/**
 * Runs a tokenizer's work on a text.
 *
 * @param task what it does, for the message
 * @throws UserError if it takes more steps than allowed
 */
export function within<T>(effort: Effort, task: string, work: () => T): T {
  effort.renew();
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TooMuchEffort)) throw error;
    throw new InvalidFile({
      where: 'tokenizer.json',
      fault: `${error.message} for ${task}`,
      hint: 'Its regular expressions are too complicated, or it has too many steps.',
    });
  }
}

/** A step from tokens to text. The pieces after the last step are joined. */
type Step = (tokens: readonly string[]) => string[];

/** The steps of a step for a piece, in addition to its characters. */
const PER_PIECE = 8;

/**
 * Decodes tokens to text, as the `decoder` section describes. The returned function throws a UserError if that takes
 * too many steps.
 *
 * @throws Error for an invalid pattern; TooMuchEffort
 */
export function decoder(
  section: DecoderStep | null | undefined,
  addedTokens: readonly AddedToken[],
): (tokens: readonly string[]) => string {
  if (!section) return (tokens) => tokens.join(' ');
  const effort = new Effort(MAX_STEPS);
  const step = createStep(section, new Set(addedTokens.map(({ content }) => content)), effort);
  return (tokens) => within(effort, `decoding ${tokens.length} tokens`, () => step(tokens).join(''));
}

function createStep(config: DecoderStep, added: ReadonlySet<string>, effort: Effort): Step {
  switch (config.type) {
    case 'Sequence': {
      const steps = config.decoders.map((inner) => createStep(inner, added, effort));
      const counted = (pieces: readonly string[], step: Step) => {
        for (const piece of pieces) effort.spend(PER_PIECE + piece.length);
        return step(pieces);
      };
      return (tokens) => steps.reduce(counted, [...tokens]);
    }
    case 'ByteLevel':
      // Added tokens are text, not bytes.
      return (tokens) =>
        runs(
          tokens,
          (token) => (added.has(token) ? undefined : decodeBytes(token)),
          (bytes) => utf8.decode(bytes),
        );
    case 'ByteFallback':
      return (tokens) =>
        runs(tokens, (token) => (BYTE.test(token) ? [Number(token.slice(1, 5))] : undefined), wholeText);
    case 'WordPiece': {
      const { prefix, cleanup } = config;
      const joined = (token: string, i: number) => {
        if (i === 0) return token;
        return token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`;
      };
      return (tokens) => tokens.map(joined).map((text) => (cleanup ? cleanedUp(text) : text));
    }
    case 'Metaspace': {
      const { replacement, prepend_scheme } = config;
      const first = prepend_scheme === 'never' ? ' ' : '';
      return (tokens) => tokens.map((token, i) => token.replaceAll(replacement, i === 0 ? first : ' '));
    }
    case 'BPEDecoder':
      return (tokens) =>
        tokens.map((token, i) => token.replaceAll(config.suffix, i === tokens.length - 1 ? '' : ' '));
    case 'Replace': {
      const find = compilePattern(config.pattern, effort);
      return (tokens) => tokens.map((token) => replaced(token, find, config.content));
    }
    case 'Fuse':
      return (tokens) => [tokens.join('')];
    case 'Strip':
      return (tokens) => tokens.map((token) => stripped(token, config));
  }
}

function replaced(token: string, find: Find, content: string): string {
  let made = '';
  let end = 0;
  for (const { from, to } of find(token)) {
    made += token.slice(end, from) + content;
    end = to;
  }
  return made + token.slice(end);
}

/** The byte tokens of sentencepiece models. */
export const BYTE = /^<0x[\da-fA-F]{2}>$/;
const BYTE_OF = new Map(BYTE_CHARACTERS.map((character, byte) => [character, byte]));
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const strictUtf8 = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });

/** The bytes of a token: those that its characters stand for, or those of its text if it has other characters. */
export function decodeBytes(token: string): Iterable<number> {
  const bytes = [...token].map((character) => BYTE_OF.get(character));
  return bytes.includes(undefined) ? new TextEncoder().encode(token) : (bytes as number[]);
}

/** Decodes consecutive byte tokens together, because a character may span several. */
function runs(
  tokens: readonly string[],
  bytesIn: (token: string) => Iterable<number> | undefined,
  textOf: (bytes: Uint8Array) => string,
): string[] {
  const pieces: string[] = [];
  let run: number[] = [];
  const end = () => {
    if (run.length > 0) pieces.push(textOf(Uint8Array.from(run)));
    run = [];
  };
  for (const token of tokens) {
    const bytes = bytesIn(token);
    if (bytes) for (const byte of bytes) run.push(byte);
    else {
      end();
      pieces.push(token);
    }
  }
  end();
  return pieces;
}

/** The text of bytes. If any of them is invalid, each becomes U+FFFD. */
function wholeText(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return '\ufffd'.repeat(bytes.length);
  }
}

/** Removes a character from the start and the end of a token, at most `start` and `stop` times. */
function stripped(
  token: string,
  { content, start, stop }: { content: string; start: number; stop: number },
): string {
  const characters = [...token];
  let [from, to] = [0, characters.length];
  while (from < Math.min(start, to) && characters[from] === content) from++;
  while (to > Math.max(from, characters.length - stop) && characters[to - 1] === content) to--;
  return characters.slice(from, to).join('');
}

/** Removes spaces before English punctuation, as transformers does. */
export function cleanedUp(text: string): string {
  return text
    .replace(/ ([.?!,])/g, '$1')
    .replaceAll(" ' ", "'")
    .replace(/ (n't|'m|'s|'ve|'re)/g, '$1');
}

import { beforeSpaces, bertWords, betweenSpaces, type CutText } from './cut-text.ts';
import type { AddedToken, TokenizerJson } from './steps/tokenizer-json.ts';

/**
 * A text for testing cuts. Near possible cuts, it has punctuation, apostrophes, digits, line ends, capitals and
 * accents.
 */
const PROBE =
  'The cat sat on a mat, then it (the cat) ran off. "It\'s 12 o\'clock: go!" she said\nto it.\nÜber öfter it - is 3 a.m. now';

/**
 * Finds how texts may be cut for a tokenizer. Undefined if no way is safe.
 *
 * For BERT, the way is known. For others, it is tested. A cut is safe under two conditions. No token of the vocabulary
 * spans it, which is looked up. And the steps before the model treat both sides alike, which is tried on a text. There
 * is no cut after a character that may end an added token, because some tokenizers restart there.
 *
 * @param tokenize returns the ids of a whole text
 * @param vocabulary tokens as the model has them: with `Ġ` or `▁` for a space, `Ċ` for a line feed
 */
export function findCut(
  json: TokenizerJson,
  tokenize: (text: string) => readonly number[],
  vocabulary: readonly (string | undefined)[],
): CutText | undefined {
  if (isWordwise(json)) return bertWords;
  const added = json.added_tokens;
  const contents = new Set(added.map(({ content }) => content));
  const plain = vocabulary.filter((token): token is string => token !== undefined && !contents.has(token));
  const hasSpace = plain.some((token) => token === 'Ġ' || token === '▁' || token === ' ');
  const spans = plain.some((token) => SPANS_SPACE.test(token) || SPANS_LINE_END.test(token));
  if (!hasSpace || spans || added.some(looksAcross)) return undefined;
  const stops = [...new Set(added.flatMap(({ content }) => content.slice(-1)))].join('');
  const whole = tokenize(PROBE).join();
  const agrees = (cut: CutText) => [...cut(PROBE)].flatMap(tokenize).join() === whole;
  return [beforeSpaces(stops), betweenSpaces(stops)].find(agrees);
}

const SPANS_SPACE = /[^Ġ▁Ċčĉ\s][Ġ▁ ][^Ġ▁Ċčĉ\s]/u;
const SPANS_LINE_END = /[Ċ\n][^Ġ▁Ċčĉ\s]/u;

/** Whether a tokenizer works like BERT's, with words that end at white space and ideographs. */
function isWordwise({ normalizer, pre_tokenizer, model, added_tokens }: TokenizerJson): boolean {
  return (
    normalizer?.type === 'BertNormalizer' &&
    normalizer.handle_chinese_chars === true &&
    pre_tokenizer?.type === 'BertPreTokenizer' &&
    model.type === 'WordPiece' &&
    !added_tokens.some(({ content }) => /[\s\u4e00-\u9fff]/.test(content))
  );
}

/** Whether an added token may span a cut, or include the white space at a cut. */
function looksAcross({ content, lstrip, rstrip }: AddedToken): boolean {
  return /\S\s\S/.test(content) || rstrip === true || (lstrip === true && /^\p{L}/u.test(content));
}

import { suggest } from '../../../support/text.ts';
import { InvalidFile, UserError } from '../../../support/user-error.ts';
import { ROLES, type Role } from '../special-tokens.ts';
import type { AddedToken, PostProcessorConfig, TokenizerJson } from '../steps/tokenizer-json.ts';
import { debertaV2Tokenizer } from './deberta-v2-class.ts';
import {
  jsonFile,
  type SlowTokenizer,
  type SpecialToken,
  type TokenizerClass,
  template,
  tokenizerText,
} from './slow-tokenizer.ts';

/** Maximum number of lines, eight times the largest known vocabulary. */
const MAX_LINES = 2 ** 21;

const plain = (content: string) => ({ content });

const bertTokenizer: TokenizerClass = {
  special: {
    unk_token: plain('[UNK]'),
    sep_token: plain('[SEP]'),
    pad_token: plain('[PAD]'),
    cls_token: plain('[CLS]'),
    mask_token: plain('[MASK]'),
  },
  convert(slow, { unk_token = '[UNK]', cls_token: cls = '[CLS]', sep_token: sep = '[SEP]' }) {
    const frame = (vocab: Vocabulary) =>
      template(`${cls} $A ${sep}`, `${cls} $A ${sep} $B:1 ${sep}:1`, (token) => vocab[token]);
    return wordPiece(slow, unk_token, [cls, sep], frame);
  },
};

/** BERT's class, but with RoBERTa's special tokens around texts. */
const mpnetTokenizer: TokenizerClass = {
  special: {
    bos_token: plain('<s>'),
    eos_token: plain('</s>'),
    unk_token: plain('[UNK]'),
    sep_token: plain('</s>'),
    pad_token: plain('<pad>'),
    cls_token: plain('<s>'),
    mask_token: { content: '<mask>', lstrip: true },
  },
  convert(slow, { unk_token = '[UNK]', cls_token: cls = '<s>', sep_token: sep = '</s>' }) {
    return wordPiece(slow, unk_token, [cls, sep], (vocab) => ({
      type: 'RobertaProcessing',
      sep: [sep, vocab[sep]!],
      cls: [cls, vocab[cls]!],
      trim_offsets: true,
      add_prefix_space: false,
    }));
  },
};

type Vocabulary = Readonly<Record<string, number>>;

/**
 * Converts the vocabulary and settings of a WordPiece tokenizer.
 *
 * @param framing the tokens around texts
 * @param frame the post-processor that adds them
 */
function wordPiece(
  slow: SlowTokenizer,
  unk_token: string,
  framing: readonly string[],
  frame: (vocab: Vocabulary) => PostProcessorConfig,
): TokenizerJson {
  const lines = tokenizerText(slow, 'vocab.txt').split('\n', MAX_LINES + 2);
  if (lines.at(-1) === '') lines.pop();
  if (lines.length > MAX_LINES) {
    throw new InvalidFile({ where: slow.where('vocab.txt'), fault: `has more than ${MAX_LINES} lines` });
  }
  const vocab = Object.fromEntries(lines.map((token, id) => [token, id]));
  const missing = [unk_token, ...framing].find((token) => !Object.hasOwn(vocab, token));
  if (missing !== undefined)
    throw new InvalidFile({ where: slow.where('vocab.txt'), fault: `has no line ${missing}` });
  const { do_lower_case, strip_accents, tokenize_chinese_chars } = slow.config;
  return {
    added_tokens: [],
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: tokenize_chinese_chars !== false,
      strip_accents: typeof strip_accents === 'boolean' ? strip_accents : null,
      lowercase: do_lower_case !== false,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    model: {
      type: 'WordPiece',
      vocab,
      unk_token,
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
    },
    post_processor: frame(vocab),
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  };
}

/** Converters by the class name in tokenizer_config.json, without `Fast`. Folders of other classes have a tokenizer.json. */
const CLASSES: Readonly<Record<string, TokenizerClass>> = {
  DebertaV2Tokenizer: debertaV2Tokenizer,
  BertTokenizer: bertTokenizer,
  DistilBertTokenizer: bertTokenizer,
  ElectraTokenizer: bertTokenizer,
  MPNetTokenizer: mpnetTokenizer,
};

/** Default class names by the model's type, for a tokenizer_config.json without a class. */
const BY_MODEL_TYPE: Readonly<Record<string, string>> = {
  'deberta-v2': 'DebertaV2Tokenizer',
  'xlm-roberta': 'XLMRobertaTokenizer',
  t5: 'T5Tokenizer',
  llama: 'LlamaTokenizer',
  mistral: 'LlamaTokenizer',
  bert: 'BertTokenizer',
  distilbert: 'DistilBertTokenizer',
  albert: 'AlbertTokenizer',
  electra: 'ElectraTokenizer',
  mpnet: 'MPNetTokenizer',
  gpt2: 'GPT2Tokenizer',
  roberta: 'RobertaTokenizer',
  bart: 'BartTokenizer',
  whisper: 'WhisperTokenizer',
};

/**
 * Converts older files to the tokenizer.json that transformers would make, and to a tokenizer_config.json with the
 * special tokens of the tokenizer's class. Follows transformers' convert_slow_tokenizer.py and the additions of its
 * fast tokenizers.
 *
 * @throws UserError for an unknown class, and for missing or damaged files
 */
export function convertTokenizer(slow: SlowTokenizer): {
  tokenizer: TokenizerJson;
  config: Record<string, unknown>;
} {
  const tokenizerClass = findClass(slow);
  const config = withSpecialTokensMap(slow);
  const roles: Partial<Record<Role, SpecialToken>> = {};
  for (const role of ROLES) {
    const token = role in config ? readToken(config[role]) : tokenizerClass.special[role];
    if (token) roles[role] = token;
  }
  const contents: Partial<Record<Role, string>> = Object.fromEntries(
    Object.entries(roles).map(([role, { content }]) => [role, content]),
  );
  const tokens = Array.isArray(config.additional_special_tokens) ? config.additional_special_tokens : [];
  const additional = tokens.flatMap((token) => readToken(token) ?? []);
  const special = [...Object.values(roles), ...additional];

  const tokenizer = tokenizerClass.convert({ ...slow, config }, contents);
  const contentsOfSpecial = new Set(special.map(({ content }) => content));
  addTokens(tokenizer, [
    ...laterTokens(slow, config, contentsOfSpecial),
    ...special.map((token) => newToken(token, true)),
  ]);
  return { tokenizer, config: { ...config, ...contents } };
}

function findClass(slow: SlowTokenizer): TokenizerClass {
  const { tokenizer_class: className } = slow.config;
  const name = typeof className === 'string' ? className.replace(/Fast$/, '') : classOfModel(slow);
  if (name !== undefined && Object.hasOwn(CLASSES, name)) return CLASSES[name]!;
  throw new UserError({
    where: slow.where('tokenizer.json'),
    fault: 'does not exist',
    hint:
      name === undefined
        ? 'Save it beside the model with AutoTokenizer.from_pretrained(...).save_pretrained(...).'
        : `Without it, tokenizers of these classes are read: ${Object.keys(CLASSES).join(', ')}; this is ${name}. ${suggest(name, Object.keys(CLASSES))}`,
    code: 'not_found',
  });
}

function classOfModel(slow: SlowTokenizer): string | undefined {
  if (!slow.file('config.json')) return undefined;
  const { model_type } = jsonFile(slow, 'config.json') as { model_type?: unknown };
  return typeof model_type === 'string' ? findTokenizerClass(model_type) : undefined;
}

/** The default tokenizer class for a type of model. */
export function findTokenizerClass(modelType: string): string | undefined {
  return Object.hasOwn(BY_MODEL_TYPE, modelType) ? BY_MODEL_TYPE[modelType] : undefined;
}

/**
 * The settings of a tokenizer. In folders without `added_tokens_decoder`, special_tokens_map.json has further special
 * tokens.
 */
function withSpecialTokensMap(slow: SlowTokenizer): Record<string, unknown> {
  const isNew = 'added_tokens_decoder' in slow.config;
  if (isNew || !slow.file('special_tokens_map.json')) return { ...slow.config };
  return { ...slow.config, ...jsonFile(slow, 'special_tokens_map.json') };
}

/**
 * Tokens that were added to the vocabulary later. They are in `added_tokens_decoder`, in older folders in
 * added_tokens.json.
 */
function laterTokens(
  slow: SlowTokenizer,
  config: Readonly<Record<string, unknown>>,
  special: ReadonlySet<string>,
): NewToken[] {
  const decoder = config.added_tokens_decoder;
  if (typeof decoder === 'object' && decoder !== null) {
    return Object.entries(decoder)
      .sort(([a], [b]) => Number(a) - Number(b))
      .flatMap(([, token]) => readToken(token) ?? [])
      .map((token) => newToken(token, special.has(token.content)));
  }
  if (!slow.file('added_tokens.json')) return [];
  // Special tokens with a role are not matched in normalized text, other tokens are.
  const named = new Set(ROLES.flatMap((role) => readToken(config[role])?.content ?? []));
  return Object.entries(jsonFile(slow, 'added_tokens.json'))
    .sort(([, a], [, b]) => Number(a) - Number(b))
    .map(([content]) => newToken({ content, normalized: !named.has(content) }, special.has(content)));
}

function newToken(token: SpecialToken & { special?: boolean }, isSpecial: boolean): NewToken {
  const { content, lstrip = false, rstrip = false, single_word = false } = token;
  const special = isSpecial || token.special === true;
  return { content, lstrip, rstrip, single_word, special, normalized: token.normalized ?? !special };
}

/** Reads a token in the files: a string, or an object with `content`. */
function readToken(value: unknown): (SpecialToken & { special?: boolean }) | undefined {
  if (typeof value === 'string') return { content: value };
  const { content, ...rest } = (value ?? {}) as Record<string, unknown>;
  if (typeof content !== 'string') return undefined;
  const flag = (name: string) => (typeof rest[name] === 'boolean' ? rest[name] : undefined);
  return {
    content,
    lstrip: flag('lstrip'),
    rstrip: flag('rstrip'),
    single_word: flag('single_word'),
    normalized: flag('normalized'),
    special: flag('special'),
  };
}

/** A token to add. Its id comes from the vocabulary. */
type NewToken = Omit<AddedToken, 'id'>;

/**
 * Adds tokens as the Rust library does. Existing added tokens do not change. A new token gets its id in the vocabulary,
 * or the next free id.
 */
function addTokens(json: TokenizerJson, tokens: readonly NewToken[]): void {
  const { model, added_tokens: added } = json;
  const ids =
    model.type === 'Unigram'
      ? new Map(model.vocab.map(([token], id) => [token, id]))
      : new Map(Object.keys(model.vocab).map((token) => [token, model.vocab[token]]));
  const known = new Set(added.map(({ content }) => content));
  let next = added.reduce(
    (most, { id }) => Math.max(most, id + 1),
    model.type === 'Unigram' ? model.vocab.length : ids.size,
  );
  for (const token of tokens) {
    if (token.content === '' || known.has(token.content)) continue;
    known.add(token.content);
    added.push({ ...token, id: ids.get(token.content) ?? next++ });
  }
}

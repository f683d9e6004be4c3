import { z } from 'zod';
import { UserError } from '../../support/user-error.ts';
import type { GgufMetadata } from '../formats/encode-gguf.ts';
import { buildTokenizer, TOKENIZER_FILES, tokenizerJsons } from './build-tokenizer.ts';
import { type PreTokenizerConfig, type TokenizerJson, tokenizerJson } from './steps/tokenizer-json.ts';
import type { TextTokenizer } from './tokenizer.ts';

/** llama.cpp's numbers for kinds of tokens. */
const KIND = { normal: 1, unknown: 2, control: 3, own: 4, unused: 5, byte: 6 };

/** Transformers' names of special tokens, by llama.cpp's. */
const ROLES = { bos: 'bos_token', eos: 'eos_token', unknown: 'unk_token', padding: 'pad_token' } as const;

/** How GPT-4, Llama 3 and Qwen 2 split texts into words. They differ in the length of numbers. */
const words = (digits: string) =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;

/** A tokenizer in llama.cpp's metadata. */
interface GgufVocabulary {
  metadata: GgufMetadata;
  tokenizer: TextTokenizer;
}

/**
 * Describes a tokenizer as llama.cpp reads it.
 *
 * @param files of the tokenizer, by name
 * @param where the path of a file, for messages
 * @throws UserError for a tokenizer that llama.cpp does not have
 */
export function ggufVocabulary(
  files: ReadonlyMap<string, Uint8Array>,
  where: (name: string) => string,
  vocabSize: number,
): GgufVocabulary {
  const tokenizer = buildTokenizer(files, where, { typeVocabSize: 0, vocabSize });
  const json = tokenizerJson.parse(tokenizerJsons(files, where).tokenizer);
  const { model, added_tokens: added } = json;
  const kind = model.type === 'BPE' && vocabularyKind(json);
  if (model.type !== 'BPE' || !kind) {
    throw new UserError({
      where: where(TOKENIZER_FILES.tokenizer),
      fault: `has a ${model.type} tokenizer with steps that llama.cpp does not have`,
      hint: 'Export with --as onnx instead.',
      code: 'unsupported',
    });
  }
  const tokens = Array.from({ length: vocabSize }, (_, id) => `[PAD${id}]`);
  const kinds = new Int32Array(vocabSize).fill(KIND.unused);
  for (const [token, id] of Object.entries(model.vocab)) {
    tokens[id] = token;
    const isByte = model.byte_fallback && /^<0x[0-9A-F]{2}>$/.test(token);
    kinds[id] = isByte ? KIND.byte : token === model.unk_token ? KIND.unknown : KIND.normal;
  }
  for (const { id, content, special } of added) {
    tokens[id] = content;
    if (kinds[id] !== KIND.unknown) kinds[id] = special ? KIND.control : KIND.own;
  }
  const merges = model.merges.map((pair) => (typeof pair === 'string' ? pair : pair.join(' ')));
  const found = Object.entries(ROLES).flatMap(([name, role]) => {
    const id = tokenizer.idOf(role);
    return id === undefined ? [] : [[`tokenizer.ggml.${name}_token_id`, id] as const];
  });
  const [first, ...rest] = tokenizer.encode('a', undefined, 16).inputIds;
  const isAdded = (id: number | undefined, role: 'bos_token' | 'eos_token') =>
    id !== undefined && id === tokenizer.idOf(role);
  return {
    tokenizer,
    metadata: {
      'tokenizer.ggml.model': kind.model,
      ...kind.more,
      'tokenizer.ggml.tokens': tokens,
      'tokenizer.ggml.token_type': kinds,
      ...(kind.model === 'gpt2' ? { 'tokenizer.ggml.merges': merges } : scored(tokens, merges)),
      ...Object.fromEntries(found),
      'tokenizer.ggml.add_bos_token': isAdded(first, 'bos_token'),
      'tokenizer.ggml.add_eos_token': isAdded(rest.at(-1), 'eos_token'),
    },
  };
}

/** The metadata of a tokenizer, whose tokens and merges may be damaged. */
const vocabularySchema = z.looseObject({
  'tokenizer.ggml.model': z.enum(['gpt2', 'llama']),
  'tokenizer.ggml.pre': z.string().optional(),
  'tokenizer.ggml.tokens': z.array(z.string()),
  'tokenizer.ggml.token_type': z.array(z.int()).optional(),
  'tokenizer.ggml.merges': z.array(z.string()).default([]),
  'tokenizer.ggml.scores': z.array(z.number()).default([]),
  'tokenizer.ggml.add_bos_token': z.boolean().optional(),
  'tokenizer.ggml.add_eos_token': z.boolean().default(false),
  'tokenizer.ggml.add_space_prefix': z.boolean().default(true),
  'tokenizer.chat_template': z.string().optional(),
});

/**
 * The tokenizer files of a model in a GGUF file.
 *
 * @param where the file's name, for messages
 * @throws UserError for a tokenizer that is not read
 */
export function ggufTokenizer(metadata: Record<string, unknown>, where: string): Record<string, object> {
  const read = vocabularySchema.safeParse(metadata);
  const pre = metadata['tokenizer.ggml.pre'];
  const isBytes = metadata['tokenizer.ggml.model'] === 'gpt2';
  const splitter = Object.hasOwn(SPLITTERS, String(pre)) ? SPLITTERS[String(pre)] : undefined;
  if (!read.success || (isBytes && !splitter))
    throw new UserError({
      where,
      fault: `has a tokenizer that is not read (${metadata['tokenizer.ggml.model']}, ${pre})`,
      hint: "Use the model's safetensors instead.",
      code: 'unsupported',
    });
  const { data } = read;
  const tokens = data['tokenizer.ggml.tokens'];
  const kinds = data['tokenizer.ggml.token_type'] ?? tokens.map(() => KIND.normal);
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const added_tokens = tokens.flatMap((content, id) => {
    const special = kinds[id] === KIND.control || kinds[id] === KIND.unknown;
    if (!special && kinds[id] !== KIND.own) return [];
    return [{ id, content, special, single_word: false, lstrip: false, rstrip: false, normalized: false }];
  });
  const named = Object.entries(ROLES).flatMap(([name, role]) => {
    const token = tokens[Number(metadata[`tokenizer.ggml.${name}_token_id`])];
    return token === undefined ? [] : [[role, token] as const];
  });
  const special = Object.fromEntries(named);
  const around = (name: 'bos' | 'eos', isAdded: boolean) => {
    const token = special[`${name}_token`];
    return isAdded && token !== undefined ? [{ SpecialToken: { id: token, type_id: 0 } }] : [];
  };
  const first = around('bos', data['tokenizer.ggml.add_bos_token'] ?? !isBytes);
  const last = around('eos', data['tokenizer.ggml.add_eos_token']);
  const hasPrefix = data['tokenizer.ggml.add_space_prefix'];
  const space = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
  const pieces = {
    normalizer: {
      type: 'Sequence',
      normalizers: [...(hasPrefix ? [{ type: 'Prepend', prepend: '▁' }] : []), space],
    },
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(hasPrefix ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
      ],
    },
  };
  const bytes = {
    normalizer: pre === 'qwen2' ? { type: 'NFC' } : null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  };
  const template = data['tokenizer.chat_template'];
  return {
    [TOKENIZER_FILES.tokenizer]: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens,
      ...(isBytes ? bytes : pieces),
      pre_tokenizer: isBytes ? splitter?.pre_tokenizer : null,
      post_processor: {
        type: 'TemplateProcessing',
        single: [...first, { Sequence: { id: 'A', type_id: 0 } }, ...last],
        pair: [
          ...first,
          { Sequence: { id: 'A', type_id: 0 } },
          ...last,
          ...first,
          { Sequence: { id: 'B', type_id: 1 } },
          ...last,
        ],
        special_tokens: Object.fromEntries(
          [...first, ...last].map(({ SpecialToken: { id } }) => [id, { id, ids: [vocab[id]], tokens: [id] }]),
        ),
      },
      model: {
        type: 'BPE',
        unk_token: isBytes ? null : special.unk_token,
        fuse_unk: !isBytes,
        byte_fallback: !isBytes,
        ignore_merges: isBytes && splitter?.isWhole === true,
        vocab,
        merges: isBytes
          ? data['tokenizer.ggml.merges']
          : mergesFrom(tokens, kinds, data['tokenizer.ggml.scores']),
      },
    },
    [TOKENIZER_FILES.config]: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      clean_up_tokenization_spaces: false,
      ...special,
      ...(template !== undefined && { chat_template: template }),
    },
  };
}

/** The merges by which SentencePiece's scores join tokens: the highest scores first. */
function mergesFrom(tokens: readonly string[], kinds: readonly number[], scores: readonly number[]) {
  const known = new Set(tokens);
  const merges = tokens.flatMap((token, id) => {
    if (kinds[id] !== KIND.normal) return [];
    const letters = Array.from(token);
    const cuts = letters
      .slice(1)
      .map((_, i): [string, string] => [letters.slice(0, i + 1).join(''), letters.slice(i + 1).join('')]);
    return cuts
      .filter((pair) => pair.every((part) => known.has(part)))
      .map((pair) => ({ pair, score: scores[id] ?? 0 }));
  });
  return merges.sort((a, b) => b.score - a.score).map(({ pair }) => pair);
}

/** SentencePiece's scores, by which llama.cpp merges: the earlier a merge, the higher its score. */
function scored(tokens: readonly string[], merges: readonly string[]): GgufMetadata {
  const ranks = new Map<string, number>();
  for (const [rank, merge] of merges.entries()) {
    const token = merge.replace(' ', '');
    if (!ranks.has(token)) ranks.set(token, rank);
  }
  return { 'tokenizer.ggml.scores': Float32Array.from(tokens, (token) => -(ranks.get(token) ?? 0)) };
}

/** llama.cpp's name of a tokenizer's kind, and more of its settings. Undefined if it has no such tokenizer. */
function vocabularyKind(json: TokenizerJson): { model: string; more: GgufMetadata } | undefined {
  const { normalizer, pre_tokenizer, model } = json;
  const steps = pre_tokenizer ? flatSteps(pre_tokenizer) : [];
  const bytes = steps.at(-1);
  if (bytes?.type === 'ByteLevel') {
    const isPlain = normalizer == null || normalizer.type === 'NFC';
    const pre = bytes.add_prefix_space || !isPlain ? undefined : splitterName(steps, json);
    return pre === undefined ? undefined : { model: 'gpt2', more: { 'tokenizer.ggml.pre': pre } };
  }
  if (model.type !== 'BPE' || !model.byte_fallback) return undefined;
  const normalizers = normalizer?.type === 'Sequence' ? normalizer.normalizers : [normalizer];
  const prepends = (step: PreTokenizerConfig) =>
    step.type === 'Metaspace' &&
    (step.prepend_scheme ?? (step.add_prefix_space === false ? 'never' : '')) !== 'never';
  const hasPrefix = normalizers.some((step) => step?.type === 'Prepend') || steps.some(prepends);
  return {
    model: 'llama',
    more: { 'tokenizer.ggml.pre': 'default', 'tokenizer.ggml.add_space_prefix': hasPrefix },
  };
}

function flatSteps(step: PreTokenizerConfig): Exclude<PreTokenizerConfig, { type: 'Sequence' }>[] {
  return step.type === 'Sequence' ? step.pretokenizers.flatMap(flatSteps) : [step];
}

/** How a text is split for byte-level merges, and whether whole words come before merges. */
interface Splitter {
  pre_tokenizer: PreTokenizerConfig;
  isWhole?: boolean;
}

const byteLevel = (use_regex: boolean): PreTokenizerConfig => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex,
});

function splitWords(digits: string): PreTokenizerConfig {
  const split = { Regex: words(digits) };
  const pretokenizers: PreTokenizerConfig[] = [
    { type: 'Split', pattern: split, behavior: 'Isolated', invert: false },
    byteLevel(false),
  ];
  return { type: 'Sequence', pretokenizers };
}

/** Splitters by llama.cpp's names. */
const SPLITTERS: Readonly<Record<string, Splitter>> = {
  'gpt-2': { pre_tokenizer: byteLevel(true) },
  smollm: {
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel(true)],
    },
  },
  dbrx: { pre_tokenizer: splitWords('\\p{N}{1,3}') },
  'llama-bpe': { pre_tokenizer: splitWords('\\p{N}{1,3}'), isWhole: true },
  qwen2: { pre_tokenizer: splitWords('\\p{N}') },
};

/** llama.cpp's name of what splits a text for byte-level merges. */
function splitterName(steps: ReturnType<typeof flatSteps>, { model }: TokenizerJson): string | undefined {
  const [first, bytes, ...more] = steps;
  if (first?.type === 'ByteLevel') return first.use_regex ? 'gpt-2' : undefined;
  if (bytes?.type !== 'ByteLevel' || more.length > 0) return undefined;
  if (first?.type === 'Digits') return first.individual_digits && bytes.use_regex ? 'smollm' : undefined;
  if (first?.type !== 'Split' || bytes.use_regex || !('Regex' in first.pattern)) return undefined;
  const isWhole = model.type === 'BPE' && model.ignore_merges === true;
  return {
    [words('\\p{N}{1,3}')]: isWhole ? 'llama-bpe' : 'dbrx',
    [words('\\p{N}')]: 'qwen2',
  }[first.pattern.Regex];
}

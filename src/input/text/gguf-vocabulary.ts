import { UserError } from '../../support/user-error.ts';
import type { GgufMetadata } from '../formats/encode-gguf.ts';
import { buildTokenizer, TOKENIZER_FILES, tokenizerJsons } from './build-tokenizer.ts';
import { type PreTokenizerConfig, type TokenizerJson, tokenizerJson } from './steps/tokenizer-json.ts';
import type { TextTokenizer } from './tokenizer.ts';

/** llama.cpp's numbers for kinds of tokens. */
const KIND = { normal: 1, unknown: 2, control: 3, own: 4, unused: 5, byte: 6 };

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
  const ids = { bos: 'bos_token', eos: 'eos_token', unknown: 'unk_token', padding: 'pad_token' } as const;
  const found = Object.entries(ids).flatMap(([name, role]) => {
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

import { z } from 'zod';

/** A token that is matched in a text before anything else. */
export type AddedToken = z.infer<typeof addedToken>;
const addedToken = z.object({
  id: z.int().min(0),
  content: z.string(),
  /** Whether it is only matched as a separate word. */
  single_word: z.boolean().default(false),
  /** Whether a match includes the white space before it (`lstrip`) or after it (`rstrip`). */
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  /** Whether the token is matched in normalized text. */
  normalized: z.boolean().optional(),
  /** Whether decoding omits the token. */
  special: z.boolean().default(false),
});

const pattern = z.union([z.strictObject({ String: z.string() }), z.strictObject({ Regex: z.string() })]);

const bertNormalizer = z.object({
  type: z.literal('BertNormalizer'),
  clean_text: z.boolean().default(true),
  handle_chinese_chars: z.boolean().default(true),
  strip_accents: z.boolean().nullish(),
  lowercase: z.boolean().default(true),
});
export type BertNormalizerConfig = z.infer<typeof bertNormalizer>;

const plainNormalizer = z.discriminatedUnion('type', [
  bertNormalizer,
  z.object({ type: z.enum(['NFC', 'NFD', 'NFKC', 'NFKD']) }),
  z.object({ type: z.enum(['Lowercase', 'StripAccents']) }),
  z.object({ type: z.literal('Strip'), strip_left: z.boolean(), strip_right: z.boolean() }),
  z.object({ type: z.literal('Prepend'), prepend: z.string() }),
  z.object({ type: z.literal('Replace'), pattern, content: z.string() }),
  z.object({ type: z.literal('Precompiled'), precompiled_charsmap: z.base64().nullish() }),
]);
export type NormalizerConfig =
  | z.infer<typeof plainNormalizer>
  | { type: 'Sequence'; normalizers: NormalizerConfig[] };
const normalizer: z.ZodType<NormalizerConfig> = z.union([
  z.object({
    type: z.literal('Sequence'),
    get normalizers() {
      return z.array(normalizer);
    },
  }),
  plainNormalizer,
]);

const BEHAVIORS = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'] as const;
const behavior = z.enum(BEHAVIORS);

const plainPreTokenizer = z.discriminatedUnion('type', [
  z.object({ type: z.enum(['BertPreTokenizer', 'Whitespace', 'WhitespaceSplit']) }),
  z.object({
    type: z.literal('ByteLevel'),
    add_prefix_space: z.boolean(),
    trim_offsets: z.boolean().default(true),
    use_regex: z.boolean().default(true),
  }),
  z.object({
    type: z.literal('Metaspace'),
    replacement: z.string().min(1),
    // Older files only say whether a space is added. Newer files also say where.
    add_prefix_space: z.boolean().optional(),
    prepend_scheme: z.enum(['always', 'first', 'never']).optional(),
    split: z.boolean().default(true),
  }),
  z.object({ type: z.literal('Split'), pattern, behavior, invert: z.boolean().default(false) }),
  z.object({ type: z.literal('Punctuation'), behavior: behavior.default('Isolated') }),
  z.object({ type: z.literal('Digits'), individual_digits: z.boolean() }),
  z.object({ type: z.literal('CharDelimiterSplit'), delimiter: z.string().min(1) }),
  z.object({ type: z.literal('FixedLength'), length: z.int().min(1) }),
]);
export type PreTokenizerConfig =
  | z.infer<typeof plainPreTokenizer>
  | { type: 'Sequence'; pretokenizers: PreTokenizerConfig[] };
const preTokenizer: z.ZodType<PreTokenizerConfig> = z.union([
  z.object({
    type: z.literal('Sequence'),
    get pretokenizers() {
      return z.array(preTokenizer);
    },
  }),
  plainPreTokenizer,
]);

/** Ids by token. There may be a quarter of a million, so they are checked only when the model is built. */
const vocabulary = z.custom<Readonly<Record<string, number>>>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'Invalid input: expected an object of ids',
);

const bpe = z.object({
  type: z.literal('BPE'),
  vocab: vocabulary,
  merges: z.custom<readonly (string | readonly [string, string])[]>(Array.isArray, 'expected a list'),
  unk_token: z.string().nullish(),
  continuing_subword_prefix: z.string().nullish(),
  end_of_word_suffix: z.string().nullish(),
  fuse_unk: z.boolean().nullish(),
  byte_fallback: z.boolean().nullish(),
  ignore_merges: z.boolean().nullish(),
});
const unigram = z.object({
  type: z.literal('Unigram'),
  vocab: z.custom<readonly (readonly [string, number])[]>(Array.isArray, 'expected a list'),
  unk_id: z.int().min(0).nullish(),
  byte_fallback: z.boolean().nullish(),
});
const wordPiece = z.object({
  type: z.literal('WordPiece'),
  vocab: vocabulary,
  unk_token: z.string(),
  continuing_subword_prefix: z.string().default('##'),
  max_input_chars_per_word: z.int().min(0).default(100),
});
export type BpeConfig = z.infer<typeof bpe>;
export type UnigramConfig = z.infer<typeof unigram>;
export type WordPieceConfig = z.infer<typeof wordPiece>;
export type TokenizerModel = BpeConfig | UnigramConfig | WordPieceConfig;

const piece = z.union([
  z.strictObject({ SpecialToken: z.object({ id: z.string(), type_id: z.int().min(0) }) }),
  z.strictObject({ Sequence: z.object({ id: z.enum(['A', 'B']), type_id: z.int().min(0) }) }),
]);
const tokenAndId = z.tuple([z.string(), z.int().min(0)]);
const plainPostProcessor = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('TemplateProcessing'),
    single: z.array(piece),
    pair: z.array(piece),
    special_tokens: z.record(z.string(), z.object({ ids: z.array(z.int().min(0)) })),
  }),
  z.object({ type: z.literal('BertProcessing'), sep: tokenAndId, cls: tokenAndId }),
  z.object({
    type: z.literal('RobertaProcessing'),
    sep: tokenAndId,
    cls: tokenAndId,
    trim_offsets: z.boolean().default(true),
    add_prefix_space: z.boolean().default(true),
  }),
  z.object({
    type: z.literal('ByteLevel'),
    add_prefix_space: z.boolean().default(true),
    trim_offsets: z.boolean().default(true),
  }),
]);
export type PostProcessorConfig =
  | z.infer<typeof plainPostProcessor>
  | { type: 'Sequence'; processors: PostProcessorConfig[] };
const postProcessor: z.ZodType<PostProcessorConfig> = z.union([
  z.object({
    type: z.literal('Sequence'),
    get processors() {
      return z.array(postProcessor);
    },
  }),
  plainPostProcessor,
]);

const plainDecoder = z.discriminatedUnion('type', [
  z.object({ type: z.enum(['ByteLevel', 'ByteFallback', 'Fuse']) }),
  z.object({ type: z.literal('WordPiece'), prefix: z.string(), cleanup: z.boolean() }),
  z.object({
    type: z.literal('Metaspace'),
    replacement: z.string().min(1),
    prepend_scheme: z.enum(['always', 'first', 'never']).default('always'),
  }),
  z.object({ type: z.literal('BPEDecoder'), suffix: z.string() }),
  z.object({ type: z.literal('Replace'), pattern, content: z.string() }),
  z.object({ type: z.literal('Strip'), content: z.string(), start: z.int().min(0), stop: z.int().min(0) }),
]);
export type DecoderStep = z.infer<typeof plainDecoder> | { type: 'Sequence'; decoders: DecoderStep[] };
const decoder: z.ZodType<DecoderStep> = z.union([
  z.object({
    type: z.literal('Sequence'),
    get decoders() {
      return z.array(decoder);
    },
  }),
  plainDecoder,
]);

/** The parts of a tokenizer.json that are used. */
export const tokenizerJson = z.object({
  added_tokens: z.array(addedToken).default([]),
  normalizer: normalizer.nullish(),
  pre_tokenizer: preTokenizer.nullish(),
  model: z.discriminatedUnion('type', [bpe, unigram, wordPiece]),
  post_processor: postProcessor.nullish(),
  decoder: decoder.nullish(),
});
export type TokenizerJson = z.infer<typeof tokenizerJson>;

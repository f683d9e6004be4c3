import { encodeGguf, type GgufDtype, type GgufTensor } from '../../input/formats/encode-gguf.ts';
import { pathIn } from '../../input/formats/files.ts';
import {
  BadConversation,
  type ChatMessage,
  ChatTemplate,
  findTemplate,
} from '../../input/text/chat/chat-template.ts';
import { ggufVocabulary } from '../../input/text/gguf-vocabulary.ts';
import type { GgufFormat } from '../../models/model-definition.ts';
import { assertOptions } from '../../support/options.ts';
import { UserError } from '../../support/user-error.ts';
import type { WrittenForm } from './export-forms.ts';
import { finiteReader } from './finite-values.ts';
import { type ExportGgufOptions, GGUF_OPTIONS, ggufFormat, reordered } from './gguf-adapter.ts';
import { mergedWeights } from './merged-form.ts';
import type { OpenedTuned } from './trained-parts.ts';

const MODEL_FILE = 'model.gguf';

/** llama.cpp's names outside of the layers. */
export const OUTSIDE: Readonly<Record<string, string>> = {
  'model.embed_tokens': 'token_embd',
  'model.norm': 'output_norm',
  lm_head: 'output',
};

/**
 * The whole model, with its adapter merged, as a GGUF file with tokenizer and chat template, and a Modelfile for Ollama.
 * The weights are made block by block.
 *
 * @throws UserError for a family or a tokenizer that llama.cpp does not have, another head than that of a language
 * model, and like {@link mergedWeights}; while the weights are made, for values that `dtype` cannot represent
 */
export function ggufForm(opened: OpenedTuned, options: ExportGgufOptions = {}): WrittenForm {
  assertOptions('export as gguf', options, GGUF_OPTIONS);
  const { model, base, notes } = opened;
  const { dtype = 'f16' } = options;
  const format = ggufFormat(opened, 'model');
  const { architecture, whole } = format;
  const lacks = whole!.lacks(model.config, format);
  if (lacks !== undefined) throw refusal(opened, lacks);
  const where = (name: string) => pathIn(base.files.name, name);
  const { tokenizer, metadata } = ggufVocabulary(base.small, where, model.config.vocabSize);
  const found = findTemplate(base.small, where);
  const source = found?.source;
  const settings = Object.entries(whole!.settings(model.config));
  const described = {
    'general.architecture': architecture,
    'general.type': 'model',
    ...Object.fromEntries(settings.map(([name, value]) => [`${architecture}.${name}`, value])),
    ...metadata,
    ...(source !== undefined && { 'tokenizer.chat_template': source }),
  };
  const isPlain = source === undefined || (notes && notes.data.messages === undefined);
  const chat = found && new ChatTemplate(found.source, tokenizer.specialTokens, found);
  const bos = metadata['tokenizer.ggml.add_bos_token'] ? (tokenizer.specialTokens.bos_token ?? '') : '';
  const template = isPlain ? '{{ .Prompt }}' : ollamaTemplate((...given) => chat!.render(...given), bos);
  const lines = [
    `FROM ./${MODEL_FILE}`,
    template === undefined
      ? '# This chat template has no equivalent here. Without TEMPLATE, Ollama chooses one of its own.'
      : `TEMPLATE """${template}"""`,
  ];
  return {
    copies: {},
    files: [
      [MODEL_FILE, encodeGguf(described, listTensors(opened, format, dtype), dtype)],
      ['Modelfile', `${lines.join('\n')}\n`],
    ],
  };
}

function refusal({ folder }: OpenedTuned, content: string): UserError {
  return new UserError({
    where: folder,
    fault: `has ${content}, which llama.cpp does not have in this family`,
    hint: 'Export with --as merged or --as onnx instead.',
    code: 'unsupported',
  });
}

function listTensors(opened: OpenedTuned, format: GgufFormat, dtype: GgufDtype): Map<string, GgufTensor> {
  const { model } = opened;
  const { modules, rows, whole } = format;
  const merged = finiteReader(mergedWeights(opened));
  const tensors = [...model.parameters].map(([name, shape]): [string, GgufTensor] => {
    const [, path, kind] = /^(.*)\.(weight|bias)$/.exec(name) ?? [];
    const [, layer, inLayer] = /\.layers\.(\d+)\.(.+)$/.exec(path ?? '') ?? [];
    const norm = path === 'model.norm' || (inLayer !== undefined && inLayer in whole!.norms);
    const module = inLayer === undefined ? OUTSIDE[path!] : (modules[inLayer] ?? whole!.norms[inLayer]);
    if (module === undefined) throw refusal(opened, `the parameter ${name}`);
    const offset = norm ? whole!.normOffset : 0;
    const read = (start: number, end: number) =>
      offset === 0 ? merged(name, start, end) : merged(name, start, end).map((value) => value + offset);
    const written = inLayer === undefined ? module : `blk.${layer}.${module}`;
    // The 4 bits of q4_0 are too few for embeddings and logits.
    const tensor: GgufTensor =
      dtype === 'q4_0' && inLayer === undefined ? { shape, read, dtype: 'q8_0' } : { shape, read };
    return [`${written}.${kind}`, reordered(tensor, rows?.(module, model.config))];
  });
  const factors = whole!.frequencyFactors(model.config);
  if (factors)
    tensors.push([
      'rope_freqs.weight',
      { shape: [factors.length], read: (...range) => factors.subarray(...range) },
    ]);
  return new Map(tensors);
}

const MARK = '\u{e000}';
const [SYSTEM, USER, ASSISTANT] = ['system', 'user', 'assistant'].map(
  (role): ChatMessage => ({ role, content: MARK }),
);

/**
 * A chat template in Ollama's language, found by rendering conversations. Undefined if the text of a message depends on
 * others.
 *
 * @param bos the token that Ollama adds itself
 */
function ollamaTemplate(render: ChatTemplate['render'], bos: string): string | undefined {
  const rendered = (messages: (ChatMessage | undefined)[], isAsked = false) => {
    const text = render(messages as ChatMessage[], isAsked);
    return text.startsWith(bos) ? text.slice(bos.length) : text;
  };
  const parted = (whole: string, start: string) =>
    whole.startsWith(start) ? whole.slice(start.length) : undefined;
  const [one, two, three] = [[USER], [USER, ASSISTANT], [USER, ASSISTANT, USER]].map((turns) =>
    rendered(turns),
  );
  const [assistant, user] = [parted(two!, one!), parted(three!, two!)];
  const asks = parted(rendered([USER], true), one!);
  if (assistant === undefined || user === undefined || asks === undefined || !one!.endsWith(user))
    return undefined;
  const before = one!.slice(0, one!.length - user.length);
  const system = systemTurn(rendered, user);
  const turns = Object.entries({ ...(system && { system }), user, assistant }).map(
    ([role, text], i) =>
      `{{ ${i === 0 ? '' : 'else '}if eq .Role "${role}" }}${text.replace(MARK, '{{ .Content }}')}`,
  );
  const isWhole = [before, system ?? MARK, user, assistant, asks].every((text) => !/\{\{|"""/.test(text));
  const isOnce = [system ?? MARK, user, assistant].every((text) => text.split(MARK).length === 2);
  if (!isWhole || !isOnce) return undefined;
  const start = before === '' ? '' : system ? `{{ if not .System }}${before}{{ end }}` : before;
  return `${start}{{ range .Messages }}${turns.join('')}{{ end }}{{ end }}${asks}`;
}

/** The text of a system message. Undefined if the template refuses it, or puts it into another message. */
function systemTurn(
  rendered: (messages: (ChatMessage | undefined)[]) => string,
  user: string,
): string | undefined {
  try {
    const text = rendered([SYSTEM, USER]);
    return text.endsWith(user) ? text.slice(0, text.length - user.length) : undefined;
  } catch (error) {
    if (error instanceof BadConversation) return undefined;
    throw error;
  }
}

import type { ChatMessage } from '../../input/text/chat/chat-template.ts';

/** Renders a conversation with a model's chat template, without the token that begins every text. */
export type RenderChat = (messages: readonly ChatMessage[], addGenerationPrompt: boolean) => string;

/** The texts around messages. `system` is missing if the template refuses system prompts. */
interface ChatParts {
  /** The text before a conversation without a system prompt. */
  without: string;
  system?: Around | undefined;
  user: Around;
  assistant: Around;
  /** The text that begins the answer. */
  answer: string;
}

type Around = readonly [before: string, after: string];

/** Ollama's template that passes a prompt as it is. */
export const PLAIN_TEMPLATE = '{{ .Prompt }}';

/**
 * Translates a chat template from Jinja to Ollama's language, by rendering conversations and comparing them. Undefined if
 * the template does more than put fixed texts around messages, or its texts cannot stand in a Modelfile.
 */
export function ollamaTemplate(render: RenderChat): string | undefined {
  const parts = chatParts(render);
  if (!parts || !CHECKS.every((messages) => isRendered(render, parts, messages))) return undefined;
  const { without, system, user, assistant, answer } = parts;
  const around = ([before, after]: Around) => `${before}{{ .Content }}${after}`;
  const template = [
    without && `{{ if not .System }}${without}{{ end }}`,
    '{{ range .Messages }}',
    `{{ if eq .Role "user" }}${around(user)}`,
    `{{ else if eq .Role "assistant" }}${around(assistant)}`,
    system ? `{{ else if eq .Role "system" }}${around(system)}` : '',
    `{{ end }}{{ end }}${answer}`,
  ].join('');
  const fixed = [without, ...user, ...assistant, ...(system ?? []), answer].join('\0');
  return /\{\{|\}\}|"""/.test(fixed) ? undefined : template;
}

/** A Modelfile for an adapter. `template` is missing if Ollama's own for the base model should be used. */
export function formatModelfile(adapter: string, base: string, template: string | undefined): string {
  const lines = [
    `# The base model is ${oneLine(base)}. FROM must name the same model: its GGUF file, made by llama.cpp's`,
    '# convert_hf_to_gguf.py, or its name in Ollama.',
    'FROM ./base.gguf',
    `ADAPTER ./${adapter}`,
    template === undefined
      ? "# The chat template does not fit Ollama's language. Without TEMPLATE, that of the base model is used."
      : `TEMPLATE """${template}"""`,
  ];
  return `${lines.join('\n')}\n`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}

/** Conversations that a translated template must render like the original. */
const CHECKS: readonly (readonly ChatMessage[])[] = [
  [{ role: 'user', content: 'one question' }],
  [
    { role: 'user', content: 'a' },
    { role: 'assistant', content: 'Some answer.' },
    { role: 'user', content: 'b?' },
    { role: 'assistant', content: '2' },
    { role: 'user', content: 'c' },
  ],
  [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'a' },
    { role: 'assistant', content: 'b' },
    { role: 'user', content: 'c' },
  ],
];

/** Words that stand for messages. No template contains them. */
const MARKS = { system: 'Qsystemq', user: 'Quserq', assistant: 'Qassistantq', next: 'Qnextq' };

function chatParts(render: RenderChat): ChatParts | undefined {
  const user = { role: 'user', content: MARKS.user } as const;
  const assistant = { role: 'assistant', content: MARKS.assistant } as const;
  const next = { role: 'user', content: MARKS.next } as const;
  const conversation = [user, assistant, next];
  const closed = rendered(render, conversation, false);
  const open = rendered(render, conversation, true);
  const answered = rendered(render, [user, assistant], false);
  if (closed === undefined || open === undefined || answered === undefined || !open.startsWith(closed))
    return undefined;
  const [head, question, reply, end] = cutAt(closed, [MARKS.user, MARKS.assistant, MARKS.next]);
  const last = cutAt(answered, [MARKS.user, MARKS.assistant])[2];
  if (end === undefined || last === undefined || !question!.startsWith(end) || !reply!.startsWith(last))
    return undefined;
  const before = reply!.slice(last.length);
  if (!head!.endsWith(before)) return undefined;
  return {
    without: head!.slice(0, head!.length - before.length),
    system: systemParts(render, before),
    user: [before, end],
    assistant: [question!.slice(end.length), last],
    answer: open.slice(closed.length),
  };
}

function systemParts(render: RenderChat, beforeUser: string): Around | undefined {
  const messages = [
    { role: 'system', content: MARKS.system },
    { role: 'user', content: MARKS.user },
  ] as const;
  const text = rendered(render, messages, false);
  const [before, between] = cutAt(text ?? '', [MARKS.system, MARKS.user]);
  if (between === undefined || !between.endsWith(beforeUser)) return undefined;
  return [before!, between.slice(0, between.length - beforeUser.length)];
}

/** The texts between marks that occur once and in this order. Empty otherwise. */
function cutAt(text: string, marks: readonly string[]): string[] {
  const parts = text.split(new RegExp(marks.join('|')));
  return parts.length === marks.length + 1 ? parts : [];
}

/** Undefined if the template refuses the conversation. */
function rendered(
  render: RenderChat,
  messages: readonly ChatMessage[],
  addGenerationPrompt: boolean,
): string | undefined {
  try {
    return render(messages, addGenerationPrompt);
  } catch {
    return undefined;
  }
}

/** Whether fixed texts give what the template gives. A refused conversation has no system part either. */
function isRendered(render: RenderChat, parts: ChatParts, messages: readonly ChatMessage[]): boolean {
  const hasSystem = messages.some(({ role }) => role === 'system');
  const text = rendered(render, messages, true);
  if (hasSystem && !parts.system) return text === undefined;
  const around: Readonly<Record<string, Around | undefined>> = {
    system: parts.system,
    user: parts.user,
    assistant: parts.assistant,
  };
  const own = messages.map(({ role, content }) => around[role]!.join(String(content)));
  return text === [hasSystem ? '' : parts.without, ...own, parts.answer].join('');
}

import { UserError } from '../../../support/user-error.ts';
import type { ChatMessage, ChatTools } from './chat-template.ts';

/** A call of a function that a model has written. */
export interface ToolCall {
  name: string;
  arguments: object;
}

/** A written text, and the calls of functions in it. */
interface WrittenCalls {
  /** The text before the first call. */
  text: string;
  calls: ToolCall[];
}

/**
 * Finds the calls in a written text: JSON objects with a `name` and `arguments` (Qwen, SmolLM) or `parameters`
 * (Llama), alone, in a list, or between marks such as `<tool_call>`. Without a call, the text is unchanged.
 */
export function readToolCalls(text: string): WrittenCalls {
  const calls: ToolCall[] = [];
  let first = -1;
  for (const { start, end } of outerObjects(text)) {
    const call = asCall(parse(text.slice(start, end)));
    if (!call) continue;
    if (first < 0) first = start;
    calls.push(call);
  }
  return { text: first < 0 ? text : withoutMark(text.slice(0, first)), calls };
}

/**
 * The JSON schema of a call of one of some functions, for {@link readToolCalls}.
 *
 * @param only name of the function to call
 * @throws UserError if there is no such function
 */
export function describeCall(tools: ChatTools, only?: string): Record<string, unknown> {
  const named = tools
    .map((tool): Record<string, unknown> => Object(tool).function ?? tool)
    .filter(({ name }) => only === undefined || name === only);
  if (named.length === 0)
    throw new UserError({
      where: 'tool_choice',
      fault: `requires a call of ${only ?? 'a function'}, which is not in tools`,
      code: 'invalid_argument',
    });
  const none = { type: 'object', additionalProperties: false };
  return {
    anyOf: named.map(({ name, parameters = none }, i) => ({
      type: 'object',
      // References start at the root of the schema.
      properties: {
        name: { const: name },
        arguments: movedTo(`#/anyOf/${i}/properties/arguments`, parameters),
      },
      required: ['name', 'arguments'],
      additionalProperties: false,
    })),
  };
}

function movedTo(root: string, schema: unknown): unknown {
  return JSON.parse(JSON.stringify(schema), (key, value) =>
    key === '$ref' && typeof value === 'string' ? value.replace('#', root) : value,
  );
}

/** The calls of a message, whose arguments may be JSON text as in OpenAI's API. */
export function listCalls({ tool_calls: calls }: ChatMessage): ToolCall[] {
  if (!Array.isArray(calls)) return [];
  return calls.flatMap((one) => asCall(Object(one).function ?? one) ?? []);
}

function asCall(value: unknown): ToolCall | undefined {
  const { name, arguments: given, parameters } = Object(value) as Record<string, unknown>;
  const made = given ?? parameters;
  const values = typeof made === 'string' ? parse(made) : made;
  if (typeof name !== 'string' || typeof values !== 'object' || values === null) return undefined;
  return { name, arguments: values };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The places of the outermost objects in a text that may contain JSON. */
function* outerObjects(text: string) {
  let [depth, start, isString] = [0, 0, false];
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    if (isString && letter === '\\') at++;
    else if (depth > 0 && letter === '"') isString = !isString;
    else if (!isString && letter === '{' && depth++ === 0) start = at;
    else if (!isString && letter === '}' && depth > 0 && --depth === 0) yield { start, end: at + 1 };
  }
}

/** Removes the mark of a call, or the beginning of a list, from the end of a text. */
function withoutMark(text: string): string {
  const said = text.trimEnd().replace(/\[$/, '').trimEnd();
  return said.endsWith('>') ? said.slice(0, Math.max(0, said.lastIndexOf('<'))).trimEnd() : said;
}

/** A streamed text that may contain calls. It is held back from the first character that may begin a call. */
export class HeldCalls {
  #held = '';

  /** Adds a piece. Returns the text that certainly belongs to no call. */
  add(piece: string): string {
    this.#held += piece;
    const begin = this.#held.search(/[<[{]/);
    const said = begin < 0 ? this.#held : this.#held.slice(0, begin);
    this.#held = this.#held.slice(said.length);
    return said;
  }

  /** The text that was held back, and its calls. */
  end(): WrittenCalls {
    return readToolCalls(this.#held);
  }
}

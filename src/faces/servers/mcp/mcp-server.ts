import { z } from 'zod';
import { collect } from '../../../support/arrays.ts';
import { PROGRAM } from '../../../support/program.ts';
import { UserError } from '../../../support/user-error.ts';
import { findNearest, unit } from '../../../tasks/sentence-embedding/embed-texts.ts';
import type { ModelInThread } from '../../../use/trained/thread/model-in-thread.ts';

/** Versions of the Model Context Protocol whose messages about tools are those here. */
const VERSIONS = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'];

/** Maximum texts in a call, and maximum characters in a message. */
const MAX_TEXTS = 1000;
const MAX_MESSAGE = 2 ** 24;

const PARSE_ERROR = -32700;
const [INVALID_REQUEST, NO_METHOD, INVALID_PARAMS, INTERNAL_ERROR] = [
  -32600, -32601, -32602, -32603,
] as const;

type Model = Pick<ModelInThread, 'predict' | 'embed'>;

interface Tool {
  description: string;
  arguments: z.ZodObject;
  call(model: Model, given: never, signal: AbortSignal): Promise<object>;
}

const texts = z.array(z.string()).min(1).max(MAX_TEXTS);

const TOOLS: Readonly<Record<string, Tool>> = {
  classify: {
    description: 'Predicts for texts: a label with probabilities, or what else the model was trained for.',
    arguments: z.object({ texts }),
    async call(model, { texts: given }: { texts: string[] }, signal) {
      const inputs = given.map((text) => ({ text }));
      const predicted = await collect(model.predict<object, { logits?: unknown }>(inputs, { signal }));
      return { answers: predicted.map(({ logits: _, ...answer }) => answer) };
    },
  },
  embed: {
    description: 'Computes a vector for each text.',
    arguments: z.object({ texts, dimensions: z.int().min(1).optional() }),
    async call(model, given: { texts: string[]; dimensions?: number }, signal) {
      const { dimensions } = given;
      const vectors = await model.embed(given.texts, { dimensions, signal });
      return { vectors: vectors.map((vector) => Array.from(vector)) };
    },
  },
  search: {
    description: 'Finds the texts that are closest in meaning to a query, best first.',
    arguments: z.object({
      query: z.string(),
      texts,
      top: z.int().min(1).default(10).describe('Number of texts to return'),
    }),
    async call(model, given: { query: string; texts: string[]; top: number }, signal) {
      const [query, ...vectors] = await model.embed([given.query, ...given.texts], { signal });
      const nearest = findNearest(query!, vectors.map(unit), given.top);
      return {
        found: nearest.map(({ number: index, score }) => ({ index, text: given.texts[index], score })),
      };
    },
  },
};

/** A request of JSON-RPC, or a notification, which has no id. */
const MESSAGE = z.object({
  id: z.union([z.string(), z.number()]).optional(),
  method: z.string(),
  params: z.record(z.string(), z.unknown()).default({}),
});

/**
 * Answers messages of the Model Context Protocol, one JSON text per line, until the input ends. Calls of tools run at the
 * same time. An error of a tool is an answer for the client's model; it does not end the server.
 *
 * @param models by the names under which tools take them
 * @param send sends a message, which becomes a line
 */
export async function serveMcp(
  models: ReadonlyMap<string, Model>,
  lines: AsyncIterable<string>,
  send: (message: object) => void,
  version: string,
): Promise<void> {
  const underWay = new Map<unknown, AbortController>();
  const calls = new Set<Promise<void>>();
  for await (const line of lines) {
    if (line.trim() === '') continue;
    const message = parseMessage(line);
    if ('error' in message) {
      send({ jsonrpc: '2.0', ...message });
      continue;
    }
    const { id, method, params } = message;
    if (id === undefined) {
      if (method === 'notifications/cancelled') underWay.get(params.requestId)?.abort();
      continue;
    }
    const abort = new AbortController();
    underWay.set(id, abort);
    const call = answer(models, method, params, version, abort.signal).then((result) => {
      underWay.delete(id);
      if (!abort.signal.aborted) send({ jsonrpc: '2.0', id, ...result });
    });
    calls.add(call);
    call.finally(() => calls.delete(call));
  }
  await Promise.all(calls);
}

/** The message of a line, or the error that answers it. The id of an invalid message is not trusted. */
function parseMessage(line: string): z.infer<typeof MESSAGE> | { id: null; error: object } {
  const refuse = (code: number, message: string) => ({ id: null, error: { code, message } });
  if (line.length > MAX_MESSAGE) return refuse(PARSE_ERROR, 'The line is too long.');
  try {
    const { data, error } = MESSAGE.safeParse(JSON.parse(line));
    return data ?? refuse(INVALID_REQUEST, z.prettifyError(error));
  } catch {
    return refuse(PARSE_ERROR, 'The line is not valid JSON.');
  }
}

type Result = { result: object } | { error: { code: number; message: string } };

async function answer(
  models: ReadonlyMap<string, Model>,
  method: string,
  params: Record<string, unknown>,
  version: string,
  signal: AbortSignal,
): Promise<Result> {
  switch (method) {
    case 'initialize': {
      const asked = VERSIONS.find((known) => known === params.protocolVersion);
      const protocolVersion = asked ?? VERSIONS[0];
      return {
        result: { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: PROGRAM, version } },
      };
    }
    case 'ping':
      return { result: {} };
    case 'tools/list':
      return { result: { tools: Object.keys(TOOLS).map((name) => described(name, models)) } };
    case 'tools/call':
      return callTool(models, params, signal);
    default:
      return fault(NO_METHOD, `${method} is not supported.`);
  }
}

function described(name: string, models: ReadonlyMap<string, Model>) {
  const { description } = TOOLS[name]!;
  const inputSchema = z.toJSONSchema(describeArguments(name, models), { io: 'input' });
  return { name, description, inputSchema };
}

/** A tool's arguments. The model may be left out if there is only one. */
function describeArguments(name: string, models: ReadonlyMap<string, Model>): z.ZodObject {
  const model = z.enum([...models.keys()]).describe('Name of the model');
  return TOOLS[name]!.arguments.extend({ model: models.size === 1 ? model.optional() : model }).strict();
}

async function callTool(
  models: ReadonlyMap<string, Model>,
  { name, arguments: given = {} }: Record<string, unknown>,
  signal: AbortSignal,
): Promise<Result> {
  if (typeof name !== 'string' || !Object.hasOwn(TOOLS, name))
    return fault(
      INVALID_PARAMS,
      `${typeof name === 'string' ? name : 'params.name'} is not a tool. Known: ${Object.keys(TOOLS).join(', ')}.`,
    );
  const checked = describeArguments(name, models).safeParse(given);
  if (!checked.success) return failed(z.prettifyError(checked.error));
  const { model = [...models.keys()][0]!, ...asked } = checked.data as { model?: string };
  try {
    const result = await TOOLS[name]!.call(models.get(model)!, asked as never, signal);
    return {
      result: { content: [{ type: 'text', text: JSON.stringify(result) }], structuredContent: result },
    };
  } catch (error) {
    if (error instanceof UserError) return failed(error.message);
    return fault(INTERNAL_ERROR, (error as Error).message);
  }
}

/** An error for the client. */
function fault(code: number, message: string): Result {
  return { error: { code, message } };
}

/** An error for the client's model. */
function failed(text: string): Result {
  return { result: { content: [{ type: 'text', text }], isError: true } };
}

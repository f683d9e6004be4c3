/*
 * Offers models as tools of the Model Context Protocol over standard input and output:
 *
 *   npm install adalora @modelcontextprotocol/sdk zod
 *   node mcp.ts runs/mails runs/embed
 */
import { basename, resolve } from 'node:path';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { type OpenedModel, open } from 'adalora';
import { z } from 'zod';

const paths = process.argv.slice(2);
const models = new Map<string, OpenedModel>();
for (const path of paths) models.set(basename(resolve(path)), await open(path));

const server = new McpServer({ name: 'adalora', version: '1.0.0' });
const model = z.enum([...models.keys()]).describe('Name of the model');
const texts = z.array(z.string()).min(1).max(1000);
const answer = (found: Record<string, unknown>) => ({
  content: [{ type: 'text' as const, text: JSON.stringify(found) }],
  structuredContent: found,
});

server.registerTool(
  'classify',
  { description: 'Predicts a label or another answer for each text.', inputSchema: { model, texts } },
  async ({ model, texts }, { signal }) => {
    const answers: object[] = [];
    const inputs = texts.map((text) => ({ text }));
    for await (const { logits: _, ...rest } of models.get(model)!.predict(inputs, { signal }))
      answers.push(rest);
    return answer({ answers });
  },
);
server.registerTool(
  'embed',
  { description: 'Computes a vector for each text.', inputSchema: { model, texts } },
  async ({ model, texts }, { signal }) => {
    const vectors = await models.get(model)!.embed(texts, { signal });
    return answer({ vectors: vectors.map((vector) => Array.from(vector)) });
  },
);
server.registerTool(
  'search',
  {
    description: 'Finds the texts that are closest in meaning to a query, best first.',
    inputSchema: { model, query: z.string(), texts, top: z.int().min(1).default(10) },
  },
  async ({ model, query, texts, top }, { signal }) => {
    const [asked, ...vectors] = await models.get(model)!.embed([query, ...texts], { signal });
    const cosine = (a: Float32Array, b: Float32Array) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
    const scored = vectors.map((vector, index) => ({
      index,
      text: texts[index],
      score: cosine(vector, asked!),
    }));
    return answer({ found: scored.sort((a, b) => b.score - a.score).slice(0, top) });
  },
);

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

await server.connect(new StdioServerTransport());
server.server.onclose = async () => {
  for (const opened of models.values()) await opened.close();
};
process.stdin.on('end', () => server.close());

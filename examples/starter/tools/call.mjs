// Asks the trained model, which calls a function of the shop: npm install adalora ai && node call.mjs "Where is order 4711?"
import { readFileSync } from 'node:fs';
import { adalora } from 'adalora/ai';
import { generateText, jsonSchema, tool } from 'ai';

// Replace these by your own: an entry for each function in train.jsonl.
const shop = {
  find_order: ({ number }) => `Order ${number} was sent yesterday.`,
  check_stock: ({ product, size }) => `The ${product} is in stock in ${size}.`,
  return_order: ({ number, reason }) => `The return of order ${number} has begun (${reason}).`,
};

const [row] = readFileSync(new URL('train.jsonl', import.meta.url), 'utf8').split('\n');
const tools = Object.fromEntries(
  JSON.parse(row).tools.map(({ function: { name, description, parameters } }) => [
    name,
    tool({ description, inputSchema: jsonSchema(parameters), execute: shop[name] }),
  ]),
);
const { text, toolResults } = await generateText({
  model: adalora('runs/first'),
  prompt: process.argv[2] ?? 'Where is order 4711?',
  temperature: 0,
  tools,
});
for (const { toolName, input, output } of toolResults) console.log(toolName, input, output);
if (text) console.log(text);
await adalora.close();

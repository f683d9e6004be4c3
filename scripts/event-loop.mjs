import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';

/*
 * node scripts/event-loop.mjs MODEL [--embeds]
 *
 * Measures how long a program's event loop is blocked while a model in a thread opens and then predicts (or
 * embeds) 64 texts. Also measures the program at rest, because a busy machine delays it too. Build first.
 */
const [path, flag] = process.argv.slice(2);
const embeds = flag === '--embeds';
const { open } = await import('../dist/index.js');
const texts = Array.from({ length: 64 }, (_, i) => ({
  text: `My order ${1000 + i} has not arrived, although the tracking page says it was delivered last week. `.repeat(
    1 + (i % 4),
  ),
}));

async function measure(name, work) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await setTimeout(20);
  delay.reset();
  const before = performance.eventLoopUtilization();
  const began = performance.now();
  const result = await work();
  const took = performance.now() - began;
  const { active } = performance.eventLoopUtilization(before);
  await setTimeout(5);
  delay.disable();
  const ms = (value) => value.toFixed(0).padStart(6);
  console.log(
    `${name.padEnd(26)} ${ms(took)} ms; longest stall ${ms(delay.max / 1e6)} ms; loop busy ${ms(active)} ms in all`,
  );
  return result;
}

const rest = () => measure('at rest', () => setTimeout(2000));
const opened = () => open(path, embeds ? { embeds } : {});
const answers = async (model, inputs) => {
  if (embeds) return model.embed(inputs.map(({ text }) => text));
  return Array.fromAsync ? Array.fromAsync(model.predict(inputs)) : drained(model.predict(inputs));
};
async function drained(generator) {
  for await (const _ of generator);
}

await rest();
const model = await measure('open', opened);
await measure('first predict of 64', () => answers(model, texts));
await measure('predict 64', () => answers(model, texts));
await measure('64 calls at once', () => Promise.all(texts.map((text) => answers(model, [text]))));
await rest();
await measure('close', () => model.close());

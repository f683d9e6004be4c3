/**
 * The layers of src with their content. A layer imports only from itself and from earlier layers, which
 * tests/layers.test.ts checks. CONTRIBUTING.md has the same list.
 */
export const ROOMS = {
  support: 'user errors, randomness, small helpers',
  store: 'files that several processes write: new files, links, locks',
  graph: 'op set, shapes, builder, verifier, printer',
  autodiff: 'derivatives, the reverse walk, recomputation',
  onnx: 'lowering and encoding to ONNX',
  runtime: 'ONNX Runtime: no other layer imports it',
  formats: 'safetensors, PyTorch files, integer weights, adapter folders, small files',
  vectors: 'loops over numbers, compiled to WebAssembly',
  nn: 'linear layers, attention, norms, dropout, losses, and the places for adapters',
  models: 'one folder per model_type',
  tuners: 'one folder per method',
  optim: 'optimizers and schedules',
  text: 'tokens, chat templates, packing, batches',
  hub: 'models of the Hub: their names, the cache, downloads, uploads',
  data: 'TSV, CSV, JSON Lines, texts, datasets of the Hub',
  metrics: 'one file per score',
  stats: 'intervals, tests and curves of repeated scores',
  baselines: 'bag of words and other baselines',
  objectives: 'losses over heads',
  parallel: 'the processes of a run: one, or several with MPI',
  program: 'an engine, a tuned network, its sessions and batches',
  bases: 'frozen weights as integers',
  optimum: 'ONNX files as Optimum exports them',
  generation: 'search over a language model',
  tasks: 'one folder per task, official scores of files',
  run: "a run's config, events, folder and checkpoints",
  recipes: "the paper's experiments as configs",
  trained: 'opening models and adapters: predict, evaluate, generate, merge, export',
  serving: 'many adapters over one base model: bank, batches, decoding',
  report: 'report, charts, model card, TensorBoard',
  train: 'the training loop',
  jobs: 'a whole training, its plan, its measurements',
  experiments: 'many runs: their plan, tuning, tests and tables',
  web: 'train and predict in a page',
  servers: 'many adapters over HTTP, for the AI SDK and MCP; the live page of a run, the page that trains',
  cli: 'one file per command',
} as const;

export type Room = keyof typeof ROOMS;

/**
 * The rooms of src with their content. A room imports only from itself and from those before it:
 * tests/layers.test.ts.
 */
export const ROOMS = {
  support: 'user errors, randomness, small helpers',
  graph: 'op set, shapes, builder, verifier, printer',
  autodiff: 'derivatives, the reverse walk, recomputation',
  onnx: 'lowering and encoding to ONNX',
  runtime: 'the only place that knows ONNX Runtime',
  formats: 'safetensors, PyTorch files, integers, adapter folders, the reader of small files',
  nn: 'linear, attention, norms, dropout, losses; where a method may stand',
  models: 'a folder a model_type',
  tuners: 'a folder a method',
  optim: 'AdamW and schedules',
  text: 'tokens, chat templates, packing, batches',
  data: 'TSV, CSV, JSON Lines, texts, the Hub',
  metrics: 'a file a score',
  baselines: 'bag of words, and what else a model has to beat',
  objectives: 'losses over heads',
  parallel: 'the processes of a run: alone, or MPI',
  program: 'an engine, a tuned network, its sessions and batches',
  bases: 'frozen weights as integers',
  optimum: 'ONNX files as Optimum exports them',
  generation: 'search over a language model',
  tasks: 'a folder a task',
  run: "a run's config, events, folder and checkpoints",
  recipes: "the paper's experiments as configs",
  trained: 'opening models and adapters: predict, evaluate, generate, merge, export',
  serving: 'many adapters over one base: their bank, batches of rows, decoding',
  report: 'report, charts, model card, TensorBoard',
  train: 'the loop',
  jobs: 'a whole training, its plan, its measurement',
  experiments: 'many runs: their plan, tuning, tests and tables',
  web: 'the same in a page',
  cli: 'a file a command',
} as const;

export type Room = keyof typeof ROOMS;

/** A folder of src. `rooms` are the folders in it that are layers of their own, in their order; `.` is the rest of the wing. */
interface Wing {
  content: string;
  rooms: Readonly<Record<string, string>>;
}

/**
 * The wings of src and the rooms inside them. A room imports only from itself and from earlier rooms, which
 * tests/layers.test.ts checks. CONTRIBUTING.md has the same list.
 */
export const WINGS = {
  support: { content: 'user errors, randomness, small helpers', rooms: {} },
  engine: {
    content: 'graphs, their derivatives, and ONNX Runtime, which runs them',
    rooms: {
      graph: 'op set, shapes, builder, verifier, printer',
      autodiff: 'derivatives, the reverse walk, recomputation',
      onnx: 'lowering and encoding to ONNX',
      runtime: 'ONNX Runtime: no other room imports it',
      vectors: 'loops over numbers, compiled to WebAssembly',
    },
  },
  input: {
    content: 'what is read and written: files, weights, texts, images, datasets, the Hub',
    rooms: {
      store: 'files that several processes write: new files, links, locks',
      formats: 'safetensors, PyTorch files, integer weights, adapter folders, small files',
      text: 'tokens, chat templates, packing, batches',
      media: 'files that rows name, such as images, decoded as a model expects them',
      hub: 'models of the Hub: their names, the cache, downloads, uploads',
      data: 'TSV, CSV, JSON Lines, texts, datasets of the Hub',
    },
  },
  scores: {
    content: 'scores, their intervals, and baselines',
    rooms: {
      metrics: 'scores of classes, numbers, texts, entities, rankings',
      stats: 'intervals, tests and curves of repeated scores',
      baselines: 'bag of words and other baselines',
    },
  },
  models: {
    content: 'transformers as graphs: families (one folder per model_type) and heads',
    rooms: {
      nn: 'linear layers, attention, norms, dropout, losses, and the places for adapters',
      '.': 'families, heads, binding of checkpoints',
    },
  },
  methods: {
    content: 'what is trained, and how it moves',
    rooms: { tuners: 'one folder per method', optim: 'optimizers and schedules' },
  },
  program: {
    content: 'an engine, a tuned network, its sessions and batches',
    rooms: {
      objectives: 'losses over heads',
      parallel: 'the processes of a run: one, or several with MPI',
      '.': 'programs, batches, linear probes',
      bases: 'frozen weights as integers',
      modalities: 'texts, or files of a medium, as a model reads them',
      generation: 'search over a language model',
    },
  },
  tasks: { content: 'one folder per task', rooms: {} },
  training: {
    content: 'one run',
    rooms: { run: "a run's config, events, folder and checkpoints", train: 'the training loop' },
  },
  use: {
    content: 'trained models at work',
    rooms: {
      optimum: 'ONNX files as Optimum exports them',
      trained: 'opening models and adapters: predict, evaluate, generate, merge, export',
      serving: 'many adapters over one base model: bank, batches, decoding',
    },
  },
  studies: {
    content: 'whole trainings, many of them, and their reports',
    rooms: {
      recipes: "the paper's experiments as configs",
      report: 'report, charts, model card, TensorBoard',
      jobs: 'a whole training, its plan, its measurements',
      experiments: 'many runs: their plan, tuning, tests and tables',
    },
  },
  faces: {
    content: 'where users meet the program',
    rooms: {
      web: 'train and predict in a page',
      servers: 'many adapters over HTTP, for the AI SDK; the page that trains',
      cli: 'one file per command',
    },
  },
} as const satisfies Record<string, Wing>;

export interface Room {
  /** Its folder below src: a wing, or a folder in it. */
  folder: string;
  content: string;
}

/** Every room, in the order of imports. */
export const ROOMS: readonly Room[] = Object.entries(WINGS).flatMap(([wing, { content, rooms }]) => {
  const inside = Object.entries<string>(rooms);
  if (inside.length === 0) return [{ folder: wing, content }];
  return inside.map(([name, text]) => ({ folder: name === '.' ? wing : `${wing}/${name}`, content: text }));
});

/** The folder of a file's room. Paths are relative to src. `undefined` for a file outside of all wings. */
export function roomOf(file: string): string | undefined {
  const [wing = '', inside = ''] = file.split('/');
  const known = (folder: string) => ROOMS.find((room) => room.folder === folder)?.folder;
  return known(`${wing}/${inside}`) ?? known(wing);
}

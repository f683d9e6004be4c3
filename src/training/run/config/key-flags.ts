/** A key of a config that commands also take as a flag. */
export interface KeyFlag {
  /** The dotted key. */
  key: string;
  /** The flag, as commander declares it. */
  flag: string;
  description: string;
  /** Whether the value is a number. Other values are texts, even if they look like numbers. */
  isNumber?: boolean;
}

/** The keys that people type most often. Flags of other keys are `--set key=value`. */
export const KEY_FLAGS: readonly KeyFlag[] = [
  { key: 'output', flag: '-o, --output <folder>', description: 'output folder' },
  { key: 'task', flag: '--task <name>', description: 'task, such as regression (default: classification)' },
  {
    key: 'model',
    flag: '--model <folder or id>',
    description: 'model to fine-tune (default: the built-in encoder)',
  },
  { key: 'method', flag: '--method <name>', description: 'method, such as lora or full (default: adalora)' },
  {
    key: 'training.num_train_epochs',
    flag: '--epochs <count>',
    description: 'number of epochs (default: chosen by the number of rows)',
    isNumber: true,
  },
  {
    key: 'training.learning_rate',
    flag: '--lr <rate>',
    description: 'peak learning rate (default: chosen by method, rows and model)',
    isNumber: true,
  },
  {
    key: 'training.per_device_train_batch_size',
    flag: '--batch-size <count>',
    description: 'examples per batch (default: chosen by the number of rows)',
    isNumber: true,
  },
  {
    key: 'data.validation',
    flag: '--validation <file or share>',
    description:
      'validation file, a share of the rows such as 10%, or "3 folds" (default: chosen by the number of rows)',
  },
  {
    key: 'data.max_length',
    flag: '--max_length, --max-length <tokens>',
    description: 'truncate texts to this many tokens',
    isNumber: true,
  },
  {
    key: 'seed',
    flag: '--seed <number>',
    description: 'seed of all random choices (default: 0)',
    isNumber: true,
  },
  {
    key: 'threads',
    flag: '--threads <n>',
    description: 'compute threads (default: ADALORA_THREADS, or one per core)',
    isNumber: true,
  },
];

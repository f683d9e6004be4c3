import { Command, Option } from 'commander';
import { PROGRAM } from '../../support/program.ts';
import { EXPORT_FORMS, PUSHED_FORMS } from '../../use/trained/export-forms.ts';
import { CONFIG_NAME } from './config-path.ts';
import {
  addModelFlags,
  addOpenFlags,
  addReadingFlags,
  addSplitFlags,
  count,
  keyOption,
  number,
  parseColumn,
  repeated,
  sharedOption,
  TEXT_KEYS,
} from './flags.ts';
import { isLongPrediction } from './huge-pages.ts';
import { addConfigOptions, addKeyOptions } from './key-options.ts';

const FORMS = Object.entries(EXPORT_FORMS);

/** The facts about a command besides its words and flags. */
interface CommandFacts {
  /** Loads its code, a function of the arguments, the flags and the command. */
  load(): Promise<{ default(...given: never[]): unknown }>;
  /** Processes that mpirun, mpiexec or srun starts divide its work. */
  isDivided?: boolean;
  /** A signal makes it save its state or finish pending work. */
  isStoppable?: boolean;
  /** Whether it computes for so long that huge pages save more time than a restart of Node takes. */
  computes?(words: readonly string[]): boolean;
  /** Command lines that work as they stand after those of the guide. */
  examples: readonly string[];
  /** The guide's name in docs/. */
  guide: string;
}

const FACTS = new WeakMap<Command, CommandFacts>();

export function getFacts(command: Command): CommandFacts {
  return FACTS.get(command)!;
}

function define(name: string, facts: CommandFacts): Command {
  const command = new Command(name).action(async (...given) => {
    const { default: run } = await facts.load();
    await run(...(given as never[]));
  });
  FACTS.set(command, facts);
  const examples = facts.examples.map((line) => `  ${PROGRAM} ${line}`).join('\n');
  return command.addHelpText('after', `\nExamples:\n${examples}\n\nGuide: docs/${facts.guide}.md`);
}

const always = () => true;

/** Declares all commands, in the order of the help. Their code is loaded when they run, so that --help and errors are fast. */
export function declareCommands(): Command[] {
  return [
    addConfigOptions(
      define('init', {
        load: () => import('./commands/init.ts'),
        examples: ['init shop', 'init rows.csv --model answerdotai/ModernBERT-base'],
        guide: 'first-questions',
      })
        .description('Write an example config with sample rows, or the config for a file of your own.')
        .argument(
          '[folder or rows]',
          'folder to write to, or a file of rows (CSV, TSV, JSON Lines, parquet)',
          '.',
        )
        .option(
          '--recipe [name]',
          'write the config of a recipe instead: an experiment of the AdaLoRA paper, or with another model; without a name, list them',
        )
        .option('--budget <level>', 'with --recipe: share of parameters to train, such as 0.16%'),
    ),
    addConfigOptions(
      define('train', {
        load: () => import('./commands/train.ts'),
        examples: ['train shop/train.tsv', 'train train.yaml --method lora --set training.weight_decay=0.01'],
        guide: 'did-it-work',
        isDivided: true,
        isStoppable: true,
        computes: always,
      })
        .description(
          'Fine-tune a model from a config, or from a file of rows. The first training on a file writes its config. Flags apply to one run.',
        )
        .argument(
          '[config or rows]',
          `config (default: ${CONFIG_NAME} in this folder; YAML, .mjs or .ts), or rows: CSV, TSV, JSON, parquet, text, a folder per class, or - for standard input`,
        )
        .argument('[validation]', 'file of validation rows, the same as --validation'),
    )
      .option('--test <file>', 'score the finished model on this file')
      .addOption(sharedOption('resume'))
      .option('--quiet', 'print only the result')
      .addOption(sharedOption('json'))
      .option('--live', 'write report.html in the output folder during the run; the page reloads itself')
      .option('--tensorboard', 'write TensorBoard event files to tensorboard/ in the output folder'),
    define('label', {
      load: () => import('./commands/label.ts'),
      examples: ['label tickets.csv --labels "bug,question,praise"', 'label messages.txt --labels ham,spam'],
      guide: 'few-rows',
    })
      .description(
        'Label rows with the keys 1 to 9. A model learns from every answer and asks for the rows that it is least sure of.',
      )
      .argument('<file>', 'rows without labels: CSV, TSV, JSON Lines, parquet, or one text per line (.txt)')
      .option('--labels <names>', 'names of 2 to 9 labels, separated by commas (required the first time)')
      .option(
        '--several',
        'a row may have several labels, or none: keys choose them, Enter asks for the next row',
      )
      .option('--text <column>', 'column of the text (default: the one with the longest texts)', parseColumn)
      .option('--text_pair, --text-pair <column>', 'column of the second text', parseColumn)
      .option('-o, --output <folder>', 'folder of the labels (default: labels/ and the name of the file)')
      .option('--jsonl', 'write the labeled rows as JSON Lines instead of CSV')
      .option('--model <folder or id>', 'model that reads the rows (default: the built-in encoder)')
      .addOption(sharedOption('device'))
      .addOption(keyOption('threads').argParser(count))
      .addOption(keyOption('data.max_length').argParser(count)),
    addReadingFlags(
      addOpenFlags(
        addSplitFlags(
          define('eval', {
            load: () => import('./commands/eval.ts'),
            examples: ['eval runs/train test.tsv', 'eval runs/train --dataset nyu-mll/glue --subset cola'],
            guide: 'tasks',
            computes: always,
          })
            .description('Score a trained model on labeled rows, or a language model on text.')
            .argument('<run or adapter>', 'folder of a run or of an adapter (PEFT or AdapterHub)')
            .argument(
              '[file]',
              'labeled rows: TSV, CSV or JSON Lines. Language models: a text file, JSON Lines, or a folder of them. Use - for standard input. Required without --dataset',
            )
            .addOption(sharedOption('json')),
        ),
      ),
    ),
    addReadingFlags(
      addOpenFlags(
        addSplitFlags(
          define('predict', {
            load: () => import('./commands/predict.ts'),
            examples: [
              'predict runs/train "Where is my order?"',
              'predict runs/train rows.csv --format csv > labels.csv',
            ],
            guide: 'use-it',
            computes: isLongPrediction,
          })
            .description(
              'Print one JSON line per row: id or row number, text, label, and the probability of each label. In a terminal, classify what you type.',
            )
            .argument('<run or adapter>', 'folder of a run or of an adapter (PEFT or AdapterHub)')
            .argument(
              '[file or text]',
              'TSV, CSV, JSON Lines, image, sound, folder of them, or quoted text (default: standard input, in one of these formats or with one text per line)',
            )
            .addOption(sharedOption('json'))
            .option('--logits', 'also print the logits')
            .addOption(
              new Option(
                '--format <form>',
                'output format: jsonl, csv, glue for a submission to GLUE, or srt or vtt for subtitles',
              )
                .default('jsonl')
                .conflicts('json'),
            )
            .option(
              '-o, --output <folder>',
              "instead of printing, write files for the task's official scorer into this folder",
            ),
        ),
      ),
      // After `--text`, because a negated flag alone is true by default.
    )
      .option('--no-text', 'do not print the text')
      .addOption(sharedOption('shard')),
    addReadingFlags(
      addOpenFlags(
        addSplitFlags(
          define('embed', {
            load: () => import('./commands/embed.ts'),
            examples: [
              'embed runs/search texts.txt > vectors.jsonl',
              'embed runs/search answers.tsv --text answer --nearest "return shoes"',
            ],
            guide: 'embeddings',
          })
            .description(
              'Turn texts, images or sounds into vectors, and search among them. Prints one JSON line each: {"embedding": [...]}.',
            )
            .argument(
              '<run, adapter or model>',
              'folder of a run, of an adapter or of a model; or an id on the Hub',
            )
            .argument(
              '[file]',
              'one text per line (.txt), TSV, CSV or JSON Lines with --text, an image, a sound or a folder of them (default: standard input)',
            )
            .option('--prompt <text>', 'text put before every input')
            .option(
              '--prompt_name, --prompt-name <name>',
              "name of a prompt in the model's files, such as query",
            )
            .option('--dimensions <count>', 'truncate vectors to this many dimensions', count)
            .option('--nearest <text or image>', 'print the 10 nearest inputs by cosine instead of vectors'),
        ),
      ),
      TEXT_KEYS,
    ).addOption(sharedOption('shard').conflicts('nearest')),
    addReadingFlags(
      define('mine', {
        load: () => import('./commands/mine.ts'),
        examples: [
          'mine pairs.jsonl --model runs/search',
          'mine pairs.jsonl --model runs/search --reranker runs/rerank --set range_min=5',
        ],
        guide: 'embeddings',
        computes: always,
      })
        .description(
          'Write hard negatives beside pairs of a query and its answer: answers of other rows that a model finds similar.',
        )
        .argument('<file>', 'pairs of texts: CSV, TSV, JSON Lines or parquet')
        .option(
          '--model <folder or id>',
          'embedding model or run that compares the texts (default: the built-in encoder)',
        )
        .option(
          '--reranker <folder or id>',
          'reranker or run that scores the most similar texts again; limits apply to its scores',
        )
        .option(
          '--set <key=value>',
          'set any key of data.negatives, as in --set num_negatives=5 (repeatable)',
          repeated,
          [],
        )
        .option(
          '-o, --output <file>',
          'output file, JSON Lines (default: the name of the file and -mined.jsonl)',
        )
        .addOption(sharedOption('device'))
        .addOption(keyOption('threads').argParser(count))
        .addOption(keyOption('data.max_length').argParser(count)),
      ['text', 'text_pair'],
    ),
    addModelFlags(
      define('generate', {
        load: () => import('./commands/generate.ts'),
        examples: [
          'generate runs/chat',
          'generate runs/chat "Where is my order?" --set no_repeat_ngram_size=3',
        ],
        guide: 'language-models',
        computes: always,
      })
        .description(
          'Generate text from a prompt and stream it. Without a prompt, read one prompt per line of standard input, or start a chat in a terminal.',
        )
        .argument('<run, adapter or model>', 'folder of a run, an adapter or a model, or its Hub id')
        .argument('[prompts...]', 'same as --prompt')
        .option('--prompt <text>', 'prompt (repeatable)', repeated, [])
        .option('--file <path>', 'file with one prompt per line, or JSON Lines with prompt or messages')
        .option(
          '--chat',
          "apply the model's chat template to each prompt (default in a terminal and for adapters trained on chats)",
        )
        .option('--no-chat', 'use each prompt as it is (default otherwise)')
        .option('--system <text>', 'system prompt')
        .option(
          '--max_new_tokens, --max-new-tokens <count>',
          "maximum number of new tokens (default: the model's setting, else 256)",
          number,
        )
        .option('--sample', 'sample tokens by probability (do_sample)')
        .option('--no-sample', 'always take the most likely token')
        .option('--temperature <number>', 'sampling temperature; below 1 prefers likely tokens', number)
        .option('--top_k, --top-k <count>', 'sample from the k most likely tokens', number)
        .option(
          '--top_p, --top-p <share>',
          'sample from the most likely tokens with this total probability',
          number,
        )
        .option('--num_beams, --num-beams <count>', 'number of beams of the beam search', number)
        .option('--schema <path>', 'file with a JSON schema; the texts are JSON that it describes')
        .option('--choice <text>', 'text to choose from; each text is one of them (repeatable)', repeated, [])
        .addOption(keyOption('seed'))
        .option(
          '--set <key=value>',
          'set any key of GenerationConfig, as in --set no_repeat_ngram_size=3; null unsets it (repeatable)',
          repeated,
          [],
        )
        .option('--jsonl', 'print one JSON line per text: text, ids, finish (stop or length)')
        .option(
          '--batch_size, --batch-size <count>',
          'prompts per batch; above 1, a text is printed when it is complete',
          count,
          1,
        )
        .addOption(sharedOption('shard')),
    ),
    addConfigOptions(
      define('plan', {
        load: () => import('./commands/plan.ts'),
        examples: ['plan shop/train.tsv', 'plan train.yaml --method full --json'],
        guide: 'choose',
      })
        .description(
          'Show what a run would train, its steps, its memory and its time. A small model takes a few steps for the time.',
        )
        .argument(
          '[config or rows]',
          `YAML file (default: ${CONFIG_NAME} in this folder), or rows as for train`,
        ),
    ).addOption(sharedOption('json')),
    define('inspect', {
      load: () => import('./commands/inspect.ts'),
      examples: ['inspect runs/train', 'inspect sentence-transformers/all-MiniLM-L6-v2 texts.txt --tokens'],
      guide: 'choose',
    })
      .description(
        'Show an adapter: its ranks by layer and matrix or, for houlsby and pfeiffer, its bottleneck sizes. Or show how a model divides texts into tokens.',
      )
      .argument(
        '<run, adapter or model>',
        'folder of a run or of an adapter (PEFT or AdapterHub), or its Hub id; with --tokens also a model',
      )
      .argument('[file]', 'with --tokens: file with one text per line (default: standard input)')
      .addOption(sharedOption('checkpoint'))
      .option('--tokens', 'print one JSON line per text: ids, tokens, offsets')
      .addOption(sharedOption('json')),
    define('report', {
      load: () => import('./commands/report.ts'),
      examples: ['report runs/train', 'report runs/lora runs/adalora -o both.html'],
      guide: 'metrics',
    })
      .description(
        'Write an HTML report of one or more runs: curves, ranks, importance, cost. It works offline.',
      )
      .argument('<run...>', 'folders of runs; runs that differ only by seed are averaged')
      .option(
        '-o, --output <file>',
        'output file (default: report.html in the folder of the run; for several runs, in the current folder)',
      )
      .addOption(sharedOption('open').default('no')),
    addKeyOptions(
      define('compare', {
        load: () => import('./commands/compare.ts'),
        examples: ['compare sweep.yaml --plan', 'compare table1 --only glue/cola --set data_folder=glue'],
        guide: 'choose',
        isStoppable: true,
      })
        .description(
          'Compare rows of settings: tune each on held-out training rows, train it with several seeds, and write tables, tests and figures.',
        )
        .argument(
          '<file or table>',
          'YAML config with rows (settings to compare) or a grid (each combination is a row), or a table of the AdaLoRA paper such as table1 (docs/paper.md)',
        ),
      // The keys that all rows share.
      [
        'output',
        'model',
        'training.num_train_epochs',
        'training.per_device_train_batch_size',
        'data.max_length',
        'threads',
      ],
    )
      .option('--only <name>', 'run only this row, task, method or budget level (repeatable)', repeated, [])
      .addOption(sharedOption('shard'))
      .addOption(sharedOption('resume'))
      .option('--plan', 'print the runs, then stop')
      .addOption(sharedOption('json')),
    define('serve', {
      load: () => import('./commands/serve.ts'),
      examples: ['serve runs', 'serve runs --api-key-env KEY --slots 100'],
      guide: 'serve',
      isStoppable: true,
      computes: always,
    })
      .description('Serve many adapters of one base model over HTTP: /predict, /v1/completions and more.')
      .argument(
        '<folders...>',
        'folders of adapters or runs; changes in them are picked up while the server runs',
      )
      .addOption(sharedOption('model'))
      .option('--host <address>', 'address to listen on', '127.0.0.1')
      .addOption(sharedOption('port'))
      .option('--api-key-env <name>', 'environment variable that holds the API key')
      .addOption(sharedOption('baseDtype'))
      .option('--allow-loading', 'let clients load and unload adapters from the folders')
      .option(
        '--cors <origin>',
        'let pages of an origin call the server, or * for all (repeatable)',
        repeated,
        [],
      )
      .addOption(keyOption('threads').argParser(count))
      .option('--slots <count>', 'number of adapters kept ready in memory', count)
      .option('--max-batch <rows>', 'rows per batch, or texts generated at once', count, 32)
      .option('--max-queue <rows>', 'rows and prompts that may wait; further requests get 503', count, 512),
    define('export', {
      load: () => import('./commands/export.ts'),
      examples: ['export runs/train --as onnx --dtype q8 -o model', 'export runs/chat --as gguf -o ollama'],
      guide: 'use-it',
    })
      .description(
        'Merge an adapter into its base model, or convert a model or an adapter to ONNX, GGUF or plain LoRA.',
      )
      .argument(
        '<run, adapter or model>',
        'folder of a run, an adapter (PEFT or AdapterHub) or a model, or its Hub id',
      )
      .requiredOption(
        '--as <form>',
        `${FORMS.map(([name, { says }]) => `${name}: ${says}`).join('; ')}; lora: an equivalent LoRA adapter`,
      )
      .requiredOption('-o, --output <folder>', 'output folder, new or empty')
      .option(
        '--dtype <types>',
        `type of the weights (${FORMS.flatMap(([name, { dtypes }]) => (dtypes ? `${name}: ${dtypes}` : [])).join('; ')})`,
      )
      .option(
        '--with <adapter=weight>',
        'adapter to add with this weight, for --as lora (repeatable)',
        repeated,
        [],
      )
      .option('--weight <number>', 'weight of the adapter itself in the sum (default: 1)', number)
      .option('--rank <rank>', 'reduce the sum to this rank (default: exact)', count)
      .addOption(sharedOption('model'))
      .addOption(sharedOption('checkpoint'))
      .addOption(sharedOption('json')),
    define('push', {
      load: () => import('./commands/push.ts'),
      examples: [
        'push runs/train me/shop-messages --license apache-2.0 --dry-run',
        'push runs/train me/shop-messages --license apache-2.0 --as onnx',
      ],
      guide: 'hub',
    })
      .description('Upload an adapter or a model to the Hugging Face Hub, without data and checkpoints.')
      .argument('<run, adapter or model>', 'folder of a run, an adapter or a model')
      .argument('<repository>', 'repository on the Hub: OWNER/NAME; created if missing')
      .requiredOption(
        '--license <id>',
        "licence of the result, such as apache-2.0; the base model's may require one",
      )
      .addOption(
        new Option(
          '--as <form>',
          'merged: the whole model with the adapter merged; onnx: the merged model, for transformers.js (default: the adapter)',
        ).choices(PUSHED_FORMS),
      )
      .option('--public', 'make a new repository public (default: private)')
      .addOption(sharedOption('dryRun'))
      .option('--parent <commit>', 'commit to build on, if the last one is not from push')
      .addOption(sharedOption('model'))
      .addOption(sharedOption('json')),
    define('web', {
      load: () => import('./commands/web.ts'),
      examples: ['web', 'web -o public'],
      guide: 'browser',
    })
      .description('Serve a page that trains in the browser. Your files stay in the browser.')
      .addOption(sharedOption('port'))
      .addOption(sharedOption('open').default('no'))
      .option(
        '--model <model>',
        'model to train in the page: a folder or a Hub id (default: the built-in encoder)',
      )
      .option('-o, --output <folder>', 'write the page to this folder instead, for a static host'),
  ];
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, Script } from 'node:vm';
import { readJson, readText } from '../../../formats/node/read-text.ts';
import { UserError } from '../../../support/user-error.ts';
import { MAX_TOKENIZER_BYTES, TOKENIZER_FILES } from '../../build-tokenizer.ts';
import type { SpecialTokens } from '../../special-tokens.ts';
import { ChatTemplate } from '../chat-template.ts';
import {
  CHAT_TEMPLATE_FILE,
  type ChatTemplateSources,
  findChatTemplate,
  MAX_CHAT_TEMPLATE_BYTES,
} from '../find-chat-template.ts';

/** Maximum time of a rendering, in milliseconds. It usually takes a few. */
const MAX_MS = 5_000;

/**
 * Loads the chat template of a model folder. {@link findChatTemplate} finds it.
 *
 * @param now the time that the template sees; by default the time of each rendering
 * @throws UserError if there is no template
 */
export function loadChatTemplate(folder: string, tokens: SpecialTokens, now?: Date): ChatTemplate {
  const { source, where } = findChatTemplate(readSources(folder), folder);
  return new ChatTemplate(source, tokens, {
    where,
    limited: (render) => limited(render, where),
    ...(now && { now: () => now }),
  });
}

function readSources(folder: string): ChatTemplateSources {
  const file = join(folder, CHAT_TEMPLATE_FILE);
  const config = join(folder, TOKENIZER_FILES.config);
  return {
    file: existsSync(file)
      ? { path: file, text: readText(file, 'a chat template', MAX_CHAT_TEMPLATE_BYTES) }
      : undefined,
    tokenizerConfig: existsSync(config)
      ? { path: config, content: readJson(config, 'a tokenizer_config.json', MAX_TOKENIZER_BYTES) }
      : undefined,
  };
}

const script = new Script('work()');
const context = createContext({ work: undefined });

/** Stops work that takes too long. The limit applies to everything that the work calls. */
function limited(work: () => string, where: string): string {
  context.work = work;
  try {
    return script.runInContext(context, { timeout: MAX_MS });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new UserError({ where, fault: `did not finish within ${MAX_MS / 1000} s` });
  }
}

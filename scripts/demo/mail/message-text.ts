import { htmlText } from './html-text.ts';
import { mimeText } from './mime-text.ts';
import { withoutTraces } from './without-traces.ts';

/** Far more than the 128 tokens to which the model truncates texts. */
const MAX_CHARACTERS = 2000;

/** The training text of an e-mail: its subject and body, without clues to its class. */
export function messageText(source: string): string {
  const letter = mimeText(source);
  // Some e-mails are declared as plain text but contain HTML.
  const isHtml = letter.isHtml || /^\s*<(?:!doctype|html|body|head|table)\b/i.test(letter.body);
  const text = withoutTraces({ ...letter, body: isHtml ? htmlText(letter.body) : letter.body });
  return text
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n[\s]*/g, '\n')
    .slice(0, MAX_CHARACTERS)
    .trim();
}

import { htmlText } from './html-text.ts';
import { mimeText } from './mime-text.ts';
import { withoutTraces } from './without-traces.ts';

/** More than 128 tokens have, by far; what follows is never seen. */
const MAX_CHARACTERS = 2000;

/** What the demo learns from: subject and text of an e-mail, without what gives its class away. */
export function messageText(source: string): string {
  const letter = mimeText(source);
  // Some say they are plain and are not.
  const isHtml = letter.isHtml || /^\s*<(?:!doctype|html|body|head|table)\b/i.test(letter.body);
  const text = withoutTraces({ ...letter, body: isHtml ? htmlText(letter.body) : letter.body });
  return text
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n[\s]*/g, '\n')
    .slice(0, MAX_CHARACTERS)
    .trim();
}

import { UserError } from '../../support/user-error.ts';
import type { Question } from './question.ts';
import { readQuestions } from './read-questions.ts';

const STANDARD_INPUT = 'standard input';

/** Reads questions from standard input: JSON as in a file, or lines with a question, a tab and its context. */
export function typedQuestions(content: string): Question[] {
  if (/^\ufeff?\s*[{[]/.test(content)) return readQuestions(content, STANDARD_INPUT, 'none');
  return content.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return [];
    const tab = line.indexOf('\t');
    const [question, context] = [line.slice(0, tab), line.slice(tab + 1).trim()];
    if (tab >= 0 && context !== '') return [{ id: `${i}`, question, context }];
    const where = `${STANDARD_INPUT}:${i + 1}`;
    throw new UserError({ where, fault: 'must be a question, a tab and a text' });
  });
}

import { Effort, TooMuchEffort } from '../../../support/regex/effort.ts';
import { LinearRegex } from '../../../support/regex/linear-regex.ts';
import { InvalidConfig } from '../../../support/user-error.ts';

/** Maximum length of a pattern. Patterns written manually are shorter. */
const MAX_LENGTH = 10_000;
/** The steps that a config key's patterns may take for all modules, about half a second. Usual ones take a million. */
const MAX_STEPS = 2 ** 26;

/** Compiles a regular expression that must match a whole text. */
type FullMatch = (pattern: string) => (text: string) => boolean;

/**
 * Returns a compiler for the Python regular expressions of a config key. They share a limit on their work. Common
 * differences are translated: `(?P<name>`, `\A`, `\Z`, `{,n}`.
 *
 * The compiler, and the functions that it returns, throw a UserError for an invalid regular expression and for too much
 * work.
 *
 * @param where the config key, for messages
 */
export function fullMatcher(where: string): FullMatch {
  const effort = new Effort(MAX_STEPS);
  const checked = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof TooMuchEffort)) throw error;
      throw new InvalidConfig({
        where,
        fault: error.message,
        hint: 'Write simpler patterns.',
      });
    }
  };
  return (pattern) => {
    if (pattern.length > MAX_LENGTH) {
      throw new InvalidConfig({
        where,
        fault: `has ${pattern.length} characters, more than the maximum of ${MAX_LENGTH}`,
      });
    }
    const regex = checked(() => compile(pattern, effort, where));
    return (text) => checked(() => regex.test(text));
  };
}

function compile(pattern: string, effort: Effort, where: string): LinearRegex {
  const translated = pattern.replace(/\\.|\(\?P<|\(\?P=\w+\)|\{,(?=\d+\})/gs, (token) => {
    if (token === '\\A') return '^';
    if (token === '\\Z') return '$';
    if (token === '(?P<') return '(?<';
    if (token === '{,') return '{0,';
    return token.startsWith('(?P=') ? '\\1' : token;
  });
  try {
    new RegExp(translated);
  } catch {
    throw new InvalidConfig({
      where,
      fault: `is not a valid regular expression: ${JSON.stringify(pattern)}`,
    });
  }
  try {
    return new LinearRegex(`^(?:${translated})$`, effort);
  } catch (error) {
    if (error instanceof TooMuchEffort) throw error;
    throw new InvalidConfig({
      where,
      fault: `has an unsupported regular expression: ${(error as Error).message}`,
    });
  }
}

import { UserError } from '../../support/user-error.ts';

/** Maximum length of a pattern. Patterns written by hand are shorter, and a hostile one can be slow to match. */
const MAX_LENGTH = 10_000;

/**
 * A Python regular expression, as in PEFT's configs, that must match the whole text. Common differences are translated:
 * `(?P<name>`, `(?P=name)`, `\A`, `\Z`.
 *
 * @param where the config key, for the message
 * @throws UserError for an invalid regular expression
 */
export function fullMatchRegex(pattern: string, where: string): RegExp {
  if (pattern.length > MAX_LENGTH) {
    throw new UserError({
      where,
      fault: `has ${pattern.length} characters, more than the maximum of ${MAX_LENGTH}`,
    });
  }
  const translated = pattern.replace(/\\.|\(\?P<|\(\?P=(\w+)\)/gs, (token, name) => {
    if (token === '\\A') return '^';
    if (token === '\\Z') return '$';
    if (token === '(?P<') return '(?<';
    return name === undefined ? token : `\\k<${name}>`;
  });
  try {
    return new RegExp(`^(?:${translated})$`);
  } catch {
    throw new UserError({ where, fault: `is not a valid regular expression: ${JSON.stringify(pattern)}` });
  }
}

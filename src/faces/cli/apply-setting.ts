import { type Document, isMap, isScalar } from 'yaml';
import { yamlDocument } from '../../input/formats/yaml-document.ts';
import { UserError } from '../../support/user-error.ts';

/**
 * Applies one `--set` to a config: `training.learning_rate=2e-3`. The value is YAML (`[query, value]`, `true`,
 * `10%`), but `#` does not begin a comment. An empty value or `null` removes the key.
 *
 * @returns the path of the key
 * @throws UserError if it is not `key=value`, or the key is below a plain value
 */
export function applySetting(document: Document, setting: string): string[] {
  const [, key, text] = /^([^\s.=]+(?:\.[^.=]+)*)=(.*)$/s.exec(setting) ?? [];
  if (key === undefined) {
    const hint = 'For example: --set training.learning_rate=1e-3';
    throw new UserError({ key: '--set', expected: 'key=value', got: JSON.stringify(setting), hint });
  }
  const path = key.split('.');
  for (let depth = 1; depth < path.length; depth++) {
    const above = path.slice(0, depth);
    const value = document.getIn(above);
    if (value === null) document.deleteIn(above);
    else if (value !== undefined && !isMap(value)) {
      const fault = `cannot be set, because ${above.join('.')} has a value and no keys`;
      throw new UserError({ where: `--set ${setting}`, key, fault });
    }
  }
  const value = settingValue(text!, setting);
  // A missing key is set to null, so that an unknown key is reported.
  if (value === null && document.hasIn(path)) document.deleteIn(path);
  else document.setIn(path, document.createNode(value));
  return path;
}

function settingValue(text: string, setting: string): unknown {
  const parsed = yamlDocument(text.trim());
  if (parsed.errors.length > 0) {
    const hint = `Quote it for YAML and for the shell: --set 'key="value"'.`;
    throw new UserError({ where: `--set ${setting}`, fault: 'has a value that is not valid YAML', hint });
  }
  const node = parsed.contents;
  const isPlainText = isScalar(node) && node.type === 'PLAIN' && typeof node.value === 'string';
  const isComment = node === null && text.trim() !== '';
  return isPlainText || isComment ? text.trim() : parsed.toJS();
}

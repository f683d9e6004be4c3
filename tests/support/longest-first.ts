import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The test files that take the most processor time, the longest first, so that no core runs a long one alone at the
 * end. Other files follow in vitest's order: by previous time, or by size.
 */
const LONGEST = [
  'tests/resume.test.ts',
  'tests/contracts/bases.test.ts',
  'tests/pack.test.ts',
  'tests/mpi.test.ts',
  'tests/readme-code.test.ts',
  'tests/browser/train-in-page.test.ts',
  'tests/library.test.ts',
  'tests/browser/web.test.ts',
  'tests/serve.test.ts',
  'tests/open.test.ts',
  'tests/first-week.test.ts',
  'tests/own-functions.test.ts',
  'tests/hostile-files.test.ts',
  'tests/train.test.ts',
  'tests/bottleneck.test.ts',
  'tests/ablations.test.ts',
  'tests/generate-cli.test.ts',
  'tests/ops.test.ts',
  'src/program/gradient-checkpointing.test.ts',
];

/**
 * Sorts test files by project, because the files of a project share a process. In each project, the longest come first.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const place = ({ moduleId, project }: TestSpecification) => {
      const at = LONGEST.indexOf(relative(project.config.root, moduleId));
      return at < 0 ? LONGEST.length : at;
    };
    const projects = [...new Set(sorted.map(({ project }) => project))];
    return projects.flatMap((project) =>
      sorted.filter((file) => file.project === project).sort((a, b) => place(a) - place(b)),
    );
  }
}

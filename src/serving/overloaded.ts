/** More is waiting than a server answers in reasonable time: come again later. */
export class Overloaded extends Error {
  override name = 'Overloaded';

  constructor(waiting: number) {
    super(
      `the server: expected at most so many requests at a time, got one more than the ${waiting} that wait.`,
    );
  }
}

/** Too many requests are waiting: try again later. */
export class Overloaded extends Error {
  override name = 'Overloaded';

  constructor(waiting: number) {
    super(
      `the server: expected at most so many requests at a time, got one more than the ${waiting} that wait.`,
    );
  }
}

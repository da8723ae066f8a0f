import type { ToolMetricsReport } from '../../contracts/routing.ts';
import type { Clock } from '../../lib/clock.ts';
import { Counters } from '../../monitor/tool-metrics-counters.ts';
import { HealthChecks } from '../../monitor/tool-metrics-health.ts';
import { ToolMetrics } from '../../monitor/tool-metrics.ts';

/** What one peer counts of its calls and messages, and how its parts are. */
export class RoomMetrics {
  /** calls that this peer made, booked where they ran */
  readonly made: ToolMetrics;
  /** calls that ran here */
  readonly served: ToolMetrics;
  readonly counters: Counters;
  readonly health: HealthChecks;
  /** of the methods that are served, so of few names; counted in when somebody reads them, since it is part of every call */
  readonly #messages = new Map<string, number>();

  constructor(clock: Clock) {
    this.made = new ToolMetrics({ clock });
    this.served = new ToolMetrics({ clock });
    this.counters = new Counters({ clock });
    this.health = new HealthChecks(clock);
  }

  /** Counts the requests that a handler has answered, by method; what it refuses counts as `refused`, whatever it was called. */
  counting<A extends readonly unknown[]>(
    serve: (method: string, ...rest: A) => Promise<unknown>,
  ): (method: string, ...rest: A) => Promise<unknown> {
    const count = (name: string) => this.#messages.set(name, (this.#messages.get(name) ?? 0) + 1);
    return async (method, ...rest) => {
      try {
        const answer = await serve(method, ...rest);
        count(method);
        return answer;
      } catch (error) {
        count('refused');
        throw error;
      }
    };
  }

  /** How the peer is at this moment. */
  sample(members: number, load: number | null): void {
    this.counters.gauge('members', members);
    if (load === null) return;
    this.counters.gauge('load', load);
    this.counters.observe('load', load);
  }

  /** what of the report is counted here */
  async report(signal: AbortSignal): Promise<Omit<ToolMetricsReport, 'router' | 'registry' | 'breakers'>> {
    this.flush();
    return {
      made: this.made.all(),
      served: this.served.all(),
      messages: this.counters.byLabel('p2p_messages'),
      health: await this.health.run(signal),
      condition: {
        members: this.counters.gaugeValue('members'),
        load: this.counters.gaugeValue('load'),
        loadP50: this.counters.quantile('load', 0.5),
        loadP95: this.counters.quantile('load', 0.95),
      },
    };
  }

  /** Counts in what waits to be counted, and forgets what is older than a day. */
  cleanUp(): void {
    this.flush();
    this.made.cleanUp();
    this.served.cleanUp();
    this.counters.cleanUp();
  }

  flush(): void {
    this.made.flush();
    this.served.flush();
    for (const [type, count] of this.#messages) this.counters.count('p2p_messages', { type }, count);
    this.#messages.clear();
  }
}

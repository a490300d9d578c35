#include "chart.h"

#include <inttypes.h>

#define WIDTH       640
#define HEIGHT      360
#define LEFT        60
#define TOP         40
#define RIGHT       20
#define BOTTOM      50
#define PLOT_WIDTH  (WIDTH - LEFT - RIGHT)
#define PLOT_HEIGHT (HEIGHT - TOP - BOTTOM)

/* 1, 2 or 5 of some power of ten, so that there are at most ten steps. */
static int64_t choose_step_ms(int64_t span_ms)
{
	static const int64_t factors[] = {1, 2, 5};

	for (int64_t power = 1;; power *= 10)
		for (size_t i = 0; i < 3; i++)
			if (factors[i] * power * 10 >= span_ms)
				return factors[i] * power;
}

static int64_t place_x(int64_t ns, int64_t span_ms)
{
	return LEFT + ns * PLOT_WIDTH / (span_ms * NS_PER_MS);
}

static void write_axes(int64_t span_ms, int64_t step_ms, FILE *file)
{
	for (int64_t ms = 0; ms <= span_ms; ms += step_ms) {
		int64_t x = place_x(ms * NS_PER_MS, span_ms);
		fprintf(file, "<path d='M%" PRId64 " %d V%d' stroke='#ccc'/>\n", x, TOP, TOP + PLOT_HEIGHT);
		fprintf(file, "<text x='%" PRId64 "' y='%d' text-anchor='middle'>%" PRId64 "</text>\n", x,
		        TOP + PLOT_HEIGHT + 18, ms);
	}
	for (int percent = 0; percent <= 100; percent += 25) {
		int y = TOP + PLOT_HEIGHT - percent * PLOT_HEIGHT / 100;
		fprintf(file, "<path d='M%d %d H%d' stroke='#ccc'/>\n", LEFT, y, LEFT + PLOT_WIDTH);
		fprintf(file, "<text x='%d' y='%d' text-anchor='end'>%d %%</text>\n", LEFT - 8, y + 4,
		        percent);
	}
	fprintf(file, "<text x='%d' y='%d' text-anchor='middle'>outage after a crash, ms</text>\n",
	        LEFT + PLOT_WIDTH / 2, HEIGHT - 10);
}

void chart_write(const struct plan *plan, const char *title, FILE *file)
{
	int64_t longest_ms = plan->outages_ns[plan->crashes - 1] / NS_PER_MS + 1;
	int64_t step_ms = choose_step_ms(longest_ms);
	int64_t span_ms = (longest_ms + step_ms - 1) / step_ms * step_ms;

	fprintf(file,
	        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' font-family='sans-serif' "
	        "font-size='12'>\n<rect width='100%%' height='100%%' fill='white'/>\n",
	        WIDTH, HEIGHT);
	fprintf(file, "<text x='%d' y='24' font-size='14'>%s</text>\n", LEFT, title);
	write_axes(span_ms, step_ms, file);
	fprintf(file, "<path fill='none' stroke='#06c' stroke-width='2' d='M%d %d", LEFT, TOP + PLOT_HEIGHT);
	for (size_t i = 0; i < plan->crashes; i++)
		fprintf(file, " H%" PRId64 " V%zu", place_x(plan->outages_ns[i], span_ms),
		        TOP + PLOT_HEIGHT - (i + 1) * PLOT_HEIGHT / plan->crashes);
	fprintf(file, "'/>\n</svg>\n");
}

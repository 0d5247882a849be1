// A backend for the statsd daemon: adds up what each flush brings, and keeps the
// sums as JSON in the file that the configuration names as `totals`.
const fs = require('fs');

exports.init = (startupTime, config, events) => {
  const totals = { counters: {}, timers: {}, gauges: {} };
  events.on('flush', (timestamp, metrics) => {
    for (const [name, count] of Object.entries(metrics.counters)) {
      totals.counters[name] = (totals.counters[name] || 0) + count;
    }
    // Each sampled timing counts for as many as it stands for.
    for (const [name, count] of Object.entries(metrics.timer_counters)) {
      totals.timers[name] = (totals.timers[name] || 0) + count;
    }
    Object.assign(totals.gauges, metrics.gauges);
    // Renamed into place, so that a reader never sees half of it.
    fs.writeFileSync(config.totals + '.new', JSON.stringify(totals));
    fs.renameSync(config.totals + '.new', config.totals);
  });
  return true;
};

import test from 'ava';
import { configFromEnvironment, configProblems, defaultEngineConfig } from '../../engine/index.js';

test('without variables the configuration table holds', (t) => {
  const { config, runtime, errors } = configFromEnvironment({});
  t.deepEqual(errors, []);
  t.deepEqual(config, { ...defaultEngineConfig, metric: 'memory' });
  t.is(runtime.prometheusUrl, 'http://prometheus.prometheus.svc.cluster.local:9090');
  t.like(runtime, { environment: 'production', port: 3000, cycleCron: '* * * * *', localityLabelsCron: '* * * * *' });
  t.deepEqual(configProblems(defaultEngineConfig), []);
});

test('every variable of the table is read', (t) => {
  const { config, runtime, errors } = configFromEnvironment({
    ENV: 'development',
    APP_PORT: '8080',
    NAMESPACES: 'a, b,',
    PROMETHEUS_URL: 'https://p:9090',
    CRONJOB_EXPRESSION: '*/30 * * * * *',
    LOCALITY_LABELS_CRON: '0 * * * *',
    METRICS_TYPE: 'cpu-memory',
    METRICS_UPPER_THRESHOLD: '80',
    METRICS_LOWER_THRESHOLD: '30',
    RESPONSE_TIME_THRESHOLD: '250',
    CPU_WEIGHT: '0.7',
    MEMORY_WEIGHT: '0.3',
    BALANCER_MIN_DELTA: '4',
    BALANCER_MIN_STEP_SIZE: '3',
    BALANCER_MAX_STEP_SIZE: '30',
    BALANCER_URGENCY_THRESHOLD: '40',
    BALANCER_EPSILON: '2',
    FT_MAX_ZONES: '2',
    SCALER_COOLDOWN_SECONDS: '90',
    SCALER_RESPECT_HPA: 'true',
  });
  t.deepEqual(errors, []);
  t.like(config, {
    metric: 'cpu-memory',
    upperThresholdPercent: 80,
    lowerThresholdPercent: 30,
    responseTimeTargetMs: 250,
    cpuWeight: 0.7,
    memoryWeight: 0.3,
    scaler: { maxZones: 2, cooldownSeconds: 90 },
    balancer: { minDelta: 4, minStep: 3, maxStep: 30, urgencyThreshold: 40, epsilon: 2 },
  });
  t.deepEqual(config.namespaces, ['a', 'b']);
  t.like(runtime, {
    environment: 'development',
    port: 8080,
    prometheusUrl: 'https://p:9090',
    localityLabelsCron: '0 * * * *',
  });
});

test('our own names win, and an empty value is no value', (t) => {
  const { config, errors } = configFromEnvironment({
    FT_MAX_ZONES: '2',
    WAVETANK_SCALER_MAX_ZONES: '4',
    METRICS_UPPER_THRESHOLD: ' ',
    WAVETANK_BALANCER_CREATE_ROUTES: 'true',
    WAVETANK_SEED: '7',
  });
  t.deepEqual(errors, []);
  t.is(config.scaler.maxZones, 4);
  t.is(config.upperThresholdPercent, 70);
  t.true(config.balancer.createRoutes);
});

test('all bad values are reported at once', (t) => {
  const { errors } = configFromEnvironment({
    METRICS_TYPE: 'disk',
    CPU_WEIGHT: 'half',
    APP_PORT: '70000',
    NAMESPACES: ',',
    FT_MAX_ZONES: '0',
    METRICS_LOWER_THRESHOLD: '75',
    CRONJOB_EXPRESSION: 'often',
    SCALER_RESPECT_HPA: 'false',
    WAVETANK_SCALER_MAX_ZONE: '3',
  });
  for (const word of [
    'METRICS_TYPE',
    'CPU_WEIGHT',
    'APP_PORT',
    'NAMESPACES',
    'maxZones',
    'lowerThresholdPercent',
    'CRONJOB',
    'RESPECT_HPA',
    'WAVETANK_SCALER_MAX_ZONE',
  ]) {
    t.true(
      errors.some((error) => error.includes(word)),
      word,
    );
  }
  t.is(errors.length, 9);
});

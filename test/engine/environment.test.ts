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

test('every variable of the table refuses a wrong value, names it, and keeps its default', (t) => {
  const { config: plain, runtime } = configFromEnvironment({});
  const wrong: Record<string, string> = {
    APP_PORT: '0',
    NAMESPACES: ' , ',
    PROMETHEUS_URL: 'prometheus:9090',
    CRONJOB_EXPRESSION: '* * *',
    LOCALITY_LABELS_CRON: '1m',
    METRICS_TYPE: 'CPU',
    METRICS_UPPER_THRESHOLD: '70%',
    METRICS_LOWER_THRESHOLD: 'low',
    RESPONSE_TIME_THRESHOLD: '100ms',
    CPU_WEIGHT: '1e3',
    MEMORY_WEIGHT: 'NaN',
    BALANCER_MIN_DELTA: '5,5',
    BALANCER_MIN_STEP_SIZE: 'five',
    BALANCER_MAX_STEP_SIZE: 'Infinity',
    BALANCER_URGENCY_THRESHOLD: '5 0',
    BALANCER_EPSILON: '0x1',
    FT_MAX_ZONES: 'three',
    SCALER_COOLDOWN_SECONDS: '60s',
    SCALER_RESPECT_HPA: 'yes',
    SCALER_RESPECT_PDB: '1',
    LOG_LEVEL: 'verbose',
  };
  for (const [name, value] of Object.entries(wrong)) {
    const answer = configFromEnvironment({ [name]: value });
    t.is(answer.errors.length, 1, name);
    t.true(answer.errors[0]!.startsWith(`${name} is "${value.trim()}", expected `), answer.errors[0]);
    t.deepEqual([answer.config, answer.runtime], [plain, runtime], name);
  }
});

test('figures outside of their range are refused by the name of the setting', (t) => {
  for (const [name, value, field] of [
    ['METRICS_UPPER_THRESHOLD', '0', 'upperThresholdPercent'],
    ['METRICS_LOWER_THRESHOLD', '-1', 'lowerThresholdPercent'],
    ['RESPONSE_TIME_THRESHOLD', '0', 'responseTimeTargetMs'],
    ['CPU_WEIGHT', '-1', 'cpuWeight'],
    ['MEMORY_WEIGHT', '-1', 'memoryWeight'],
    ['BALANCER_MIN_DELTA', '201', 'balancer.minDelta'],
    ['BALANCER_MIN_STEP_SIZE', '30', 'balancer.minStep'],
    ['BALANCER_MAX_STEP_SIZE', '0', 'balancer.maxStep'],
    ['BALANCER_URGENCY_THRESHOLD', '0', 'balancer.urgencyThreshold'],
    ['BALANCER_EPSILON', '101', 'balancer.epsilon'],
    ['FT_MAX_ZONES', '1.5', 'scaler.maxZones'],
    ['SCALER_COOLDOWN_SECONDS', '-1', 'scaler.cooldownSeconds'],
  ] as const) {
    const { errors } = configFromEnvironment({ [name]: value });
    t.true(
      errors.length > 0 && errors.some((error) => error.includes(field)),
      `${name}=${value}: ${errors.join('; ')}`,
    );
  }
});

test('CPU_WEIGHT and MEMORY_WEIGHT of 0 to 100 and of 0 to 1 are both allowed, and LOG_LEVEL is debug unless set', (t) => {
  t.deepEqual(configFromEnvironment({ CPU_WEIGHT: '100', MEMORY_WEIGHT: '0' }).errors, []);
  t.deepEqual(configFromEnvironment({ CPU_WEIGHT: '.5', MEMORY_WEIGHT: '0.5' }).errors, []);
  t.is(configFromEnvironment({}).runtime.logLevel, 'debug');
  t.is(configFromEnvironment({ LOG_LEVEL: 'warn' }).runtime.logLevel, 'warn');
});

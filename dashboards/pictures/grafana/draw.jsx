// Draws one board with Grafana's own components: frames, themes, legends, tables and plots are
// theirs. What only Grafana's server has (its shell, the panels' few lines of glue) is here.
// Their CommonJS builds (require): some of what those load has no default export for modules.
const {
  FieldConfigOptionsRegistry, FieldType, ThemeContext, applyFieldOverrides, createTheme, dateTime,
  getDisplayValueAlignmentFactors, getFieldDisplayValues, standardTransformers,
  standardTransformersRegistry, toDataFrame, transformDataFrame,
} = require('@grafana/data');
const { BarGauge, BigValue, GlobalStyles, PanelChrome, Table, TimeSeries } = require('@grafana/ui');
const { useEffect, useState } = require('react');
const { createRoot } = require('react-dom/client');
const { lastValueFrom } = require('rxjs');

const { board, answers, marks, window: shown } = globalThis.SHOWN;
const theme = createTheme({ colors: { mode: 'dark' } });
const zone = 'utc';
const timeRange = { from: dateTime(shown.start * 1000), to: dateTime(shown.end * 1000) };
timeRange.raw = { from: timeRange.from, to: timeRange.to };
const CELL = { width: 1600 / 24, height: 30, gap: 8 };
const same = (text) => text;

standardTransformersRegistry.setInit(() =>
  [standardTransformers.mergeTransformer, standardTransformers.organizeFieldsTransformer,
    standardTransformers.orderFieldsTransformer, standardTransformers.renameFieldsTransformer,
    standardTransformers.filterFieldsByNameTransformer, standardTransformers.filterFieldsTransformer]
    .map((each) => ({ id: each.id, name: each.name, transformation: each })));

// What a board's overrides may set; Grafana's server keeps this list.
const overridable = new FieldConfigOptionsRegistry(() =>
  ['unit', 'decimals', 'thresholds', 'color', 'min', 'max', 'links', 'custom.cellOptions'].map(
    (id) => ({
      id, path: id.replace('custom.', ''), name: id, isCustom: id.startsWith('custom.'),
      process: same, shouldApply: () => true, override: same, editor: same, settings: {},
    })));

function label(legend, labels) {
  return legend.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name) => labels[name] ?? '');
}

function lines(panel) {
  return panel.targets.flatMap((target, place) =>
    answers[panel.id][place].map((series) => {
      const points = series.values ?? [series.value];
      const name = target.legendFormat ? label(target.legendFormat, series.metric) : panel.title;
      return toDataFrame({
        refId: target.refId,
        name,
        fields: [
          { name: 'Time', type: FieldType.time, values: points.map(([time]) => time * 1000) },
          {
            name: 'Value', type: FieldType.number, labels: series.metric,
            values: points.map(([, value]) => (isFinite(value) ? Number(value) : null)),
            config: { displayNameFromDS: name },
          },
        ],
      });
    }));
}

function tables(panel) {
  return panel.targets.map((target, place) => {
    const found = answers[panel.id][place];
    const names = [...new Set(found.flatMap((series) => Object.keys(series.metric)))];
    return toDataFrame({
      refId: target.refId,
      fields: [
        { name: 'Time', type: FieldType.time, values: found.map(() => shown.end * 1000) },
        ...names.map((name) => ({
          name, type: FieldType.string, values: found.map((series) => series.metric[name]),
        })),
        {
          name: `Value #${target.refId}`, type: FieldType.number,
          values: found.map((series) => Number(series.value[1])),
        },
      ],
    });
  });
}

function dressed(panel, data) {
  const frames = applyFieldOverrides({
    data, fieldConfig: panel.fieldConfig, replaceVariables: same, theme, timeZone: zone,
    fieldConfigRegistry: overridable,
  });
  for (const field of frames.flatMap((frame) => frame.fields)) {
    field.config.custom = { ...panel.fieldConfig.defaults.custom, ...field.config.custom };
  }
  return frames;
}

function Lines({ panel, width, height }) {
  const frames = dressed(panel, lines(panel));
  return (
    <TimeSeries frames={frames} timeRange={timeRange} timeZone={zone} width={width} height={height}
      legend={panel.options.legend} options={panel.options}>
      {(builder) => { builder.addHook('draw', drawMarks); return null; }}
    </TimeSeries>
  );
}

function drawMarks(plot) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = theme.visualization.getColorByName('purple');
  ctx.setLineDash([6, 4]);
  const times = marks.flat().flatMap((series) => series.values.map(([time]) => time));
  const follows = (time) => times.some((each) => Math.abs(time - shown.step - each) < 0.1);
  for (const time of times.filter((each) => !follows(each))) {
    const x = plot.valToPos(time * 1000, 'x', true);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

function displays(panel) {
  return getFieldDisplayValues({
    fieldConfig: panel.fieldConfig, reduceOptions: panel.options.reduceOptions,
    data: dressed(panel, lines(panel)), theme, replaceVariables: same, timeZone: zone,
  });
}

function Numbers({ panel, width, height }) {
  const found = displays(panel);
  const { colorMode, graphMode, textMode } = panel.options;
  return (
    <div style={{ display: 'flex' }}>
      {found.map((each, place) => (
        <BigValue key={place} value={each.display} theme={theme} width={width / found.length}
          height={height} colorMode={colorMode} graphMode={graphMode} textMode={textMode}
          justifyMode="auto" />
      ))}
    </div>
  );
}

function Bars({ panel, width, height }) {
  const found = displays(panel);
  const alignment = getDisplayValueAlignmentFactors(found);
  return found.map((each, place) => (
    <BarGauge key={place} value={each.display} field={each.field} display={each.view?.getFieldDisplayProcessor(each.colIndex)}
      width={width} height={Math.min(60, height / found.length)} orientation="horizontal"
      displayMode={panel.options.displayMode} namePlacement={panel.options.namePlacement} theme={theme} itemSpacing={8} lcdCellWidth={12}
      alignmentFactors={alignment} showUnfilled />
  ));
}

function Rows({ panel, width, height }) {
  const [frame, setFrame] = useState(null);
  useEffect(() => {
    lastValueFrom(transformDataFrame(panel.transformations, tables(panel))).then(([merged]) =>
      setFrame(dressed(panel, [merged])[0]));
  }, [panel]);
  const { sortBy } = panel.options;
  return frame && <Table data={frame} width={width} height={height} initialSortBy={sortBy} />;
}

const KINDS = { timeseries: Lines, stat: Numbers, bargauge: Bars, table: Rows };

function Panel({ panel }) {
  const at = panel.gridPos;
  const place = {
    position: 'absolute', left: at.x * CELL.width, top: at.y * (CELL.height + CELL.gap),
  };
  const width = at.w * CELL.width - CELL.gap;
  const height = at.h * (CELL.height + CELL.gap) - CELL.gap;
  if (panel.type === 'row') {
    return <h5 style={{ ...place, margin: 0, paddingTop: 10 }}>⌄ {panel.title}</h5>;
  }
  const Kind = KINDS[panel.type];
  const empty = answers[panel.id].every((found) => found.length === 0);
  return (
    <div style={place}>
      <PanelChrome title={panel.title} width={width} height={height}>
        {(inner, below) =>
          empty ? <p style={{ textAlign: 'center', paddingTop: below / 2 - 12 }}>
            {panel.fieldConfig.defaults.noValue}
          </p> : <Kind panel={panel} width={inner} height={below} />}
      </PanelChrome>
    </div>
  );
}

function Board() {
  const bottom = Math.max(...board.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <div id="board" style={{
        background: theme.colors.background.canvas, padding: 16, width: 1632,
        height: bottom * (CELL.height + CELL.gap) + 72,
      }}>
        <h3 style={{ marginBottom: 12 }}>{board.title}</h3>
        <div style={{ position: 'relative' }}>
          {board.panels.map((panel) => <Panel key={panel.id} panel={panel} />)}
        </div>
      </div>
    </ThemeContext.Provider>
  );
}

createRoot(document.getElementById('root')).render(<Board />);

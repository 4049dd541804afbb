// Importers: published numbers, in the form they were published, made into the product's own files. One function a
// form; each says in its comment what it reads. Nothing is invented on the way: what a form does not state stays empty,
// and what had to be read into it (a clock, a power mode) is said in the `source` of every cell it touches.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "application/table.hpp"
#include "common/csv.hpp"

namespace dynasoc {

/// A table, and the accuracies of its sub-networks where the form carries them (L1 first; else empty).
struct ImportedTable {
  Table table;
  std::vector<double> accuracy;
};

/// Which of the published latencies of the same GPU sub-networks is wanted. They differ by 1.17-1.29x: never mix them.
enum class LatencyColumn {
  figure,  ///< `latency_ms`, read off Fig 4
  search,  ///< `alt_latency_ms_pickle_fig3`, recorded while the sub-networks were searched for
};

/// Operating points of Dynamic-OFA, one row a level:
///   device,level_1based,top1_pct,latency_ms,latency_uncertainty_ms,latency_source,alt_latency_ms_pickle_fig3,…
/// `device` is `gpu` or `cpu`; latencies in ms, top-1 in percent. Clocks were not published: they are taken as the caps
/// of the Xavier NX's default power mode. Throws InputError where a row of the device lacks the latency asked for.
ImportedTable import_dynamic_ofa_levels(const Csv& csv, std::string_view device, LatencyColumn latency);

/// Sub-networks recorded while searching, one row each: set,index0,level1,top1_pct,latency_ms_pickle,…; `set` selects
/// the rows (`nets_6`, `nets_7`). Latencies in ms on the GPU, clocks as above.
ImportedTable import_dynamic_ofa_subnets(const Csv& csv, std::string_view set);

/// Points digitised from an accuracy/latency figure: figure,series,x,y,unit_x,unit_y,uncertainty_x,uncertainty_y,note.
/// x is a latency in `ms` or `s`, y an accuracy in percent. Fig4_a is the GPU, Fig4_b the CPU, Fig3 the GPU with
/// accuracies that are taken as they are. Points of one series
/// whose accuracies agree within 0.02 percentage points on both units are one sub-network; accuracies within 0.02 of a
/// one-decimal number are rounded to it, as they were published. `series` is the legend's name, up to its reference
/// number, or several such names with semicolons between.
ImportedTable import_figure_points(const Csv& csv, std::string_view series);

/// MLPerf Inference power rows, one row a run: device,workload,runtime,power_mode,cpu_freq_khz,…,mem_freq_hz,cores,
/// latency_ms,p90_latency_ms,power_w,idle_w,…,energy_mj,…,meter,release,division,source. Latency, energy and power of
/// the whole board were measured in the same run. Rows of `runtime` are taken. `accuracies` lists the workloads and
/// their accuracy, `workload,accuracy,source`, and thereby orders them; a workload that it does not list is an error.
ImportedTable import_mlperf_power(const Csv& rows, const Csv& accuracies, std::string_view runtime);

/// Searched SubTransformers: task,hardware,level,latency_ms,params_M,flops_G,bleu,sacrebleu,provenance,source. Rows of
/// one task and one piece of hardware are taken, in order of BLEU. Clocks are not stated.
ImportedTable import_hat(const Csv& csv, std::string_view task, std::string_view hardware);

/// Block latency tables:
/// device,resolution,block,input,output,expand,kernel,stride,idskip,se,hs,count,mean_ms,std_ms[,flag]. Returns the
/// product's block table, a CSV of the columns
///   resolution,block,input,output,expand,kernel,stride,idskip,se,hs,latency_ms_mean,latency_ms_std,n,provenance,source,flags
/// Rows flagged `note10_verified` or `note10_inferred` in a table of another device are a phone's numbers and become
/// `derived`; where only the count is the phone's (`count_is_note10`), n is left empty. All flags are kept.
std::string import_block_table(const Csv& csv);

/// Raw latencies logged at run time: session,segment,level_0based,index,t_start,t_offset_est_s,latency_ms,
/// is_first_inference. Returns a recorded trace of one session, a CSV of the columns
/// `subnet,latency_ms,ratio,first,source`; `ratio` is the latency over the median of its segment without the first
/// inference. The first inference of a segment is a restarted process (5 to 30 s); `keep_first` decides whether it
/// stays, marked by `first` = 1, or is left out, as is wanted for replaying how execution times vary.
std::string import_latency_log(const Csv& csv, std::string_view session, bool keep_first);

/// Bars of the motivating figure:
/// bar,device,workload,freq_label,freq_ghz,latency_ms,uncertainty_ms,required_latency_ms. Those in which the network
/// runs alone (workload `DNN`) become cells of one sub-network. Labels are rounded clocks and are read as the caps of
/// two power modes (see the cells' sources).
ImportedTable import_motivation(const Csv& csv);

/// Latency over a grid of GPU and memory clocks: device,workload,cpu_mhz,gpu_mhz,then either
/// mem_mhz,gpu_latency_ms_per_batch,fps,source or
/// emc_mhz,period_ms,response_p50_ms,response_p99_ms,compute_p50_ms,iters, source. `run` selects rows whose source
/// contains it (empty: all), because a grid and a sweep of the same board do not agree. The second form states medians:
/// they stand in the mean's column, and the source says so. Groups are workloads.
Table import_frequency_grid(const Csv& csv, std::string_view run);

/// A user's own measurements, one row an inference:
///   subnet,unit,latency_ms and, where known, cores,f_cpu_mhz,f_gpu_mhz,f_emc_mhz,energy_mj,power_w,idle_power_w
/// Rows of the same sub-network, unit, cores and clocks become one cell: mean, standard deviation (n - 1), n,
/// percentiles (linear interpolation between order statistics). The first `skip` rows of each group are warm-up and
/// dropped. Of energy and power the one that is missing follows from the other and the latency. `source` goes into
/// every cell, `meter` into `energy_source`. `warnings` receives what looks wrong: a first row much slower than the
/// rest, fewer than 30 rows. Throws InputError for a group without rows left, or energy without a `meter`.
Table import_samples(const Csv& csv, std::size_t skip, const std::string& source, const std::string& meter,
                     std::vector<std::string>* warnings = nullptr);

/// An option of a form, as the command line shows it.
struct ImportOption {
  std::string name;
  std::string doc;
  bool required = false;
};

/// What `dynasoc table import` offers.
struct ImportForm {
  std::string name;
  std::string doc;
  std::vector<std::string> inputs;  ///< what each input file is
  std::vector<ImportOption> options;
  std::function<std::string(const std::vector<Csv>&, const std::map<std::string, std::string>&,
                            std::vector<std::string>*)>
      run;
};
const std::vector<ImportForm>& import_forms();

/// Runs a form on files; the text of the new file is returned. Throws InputError for an unknown form or option (with
/// the nearest name), a missing option, a wrong number of files.
std::string import_files(const std::string& form, const std::vector<std::filesystem::path>& inputs,
                         const std::map<std::string, std::string>& options, std::vector<std::string>* warnings);

}  // namespace dynasoc

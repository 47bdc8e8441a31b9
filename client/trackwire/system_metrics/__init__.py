"""What a run's machine and process do, under MLflow's names where MLflow has one. A megabyte is 10⁶ bytes, as there.

system/cpu_utilization_percentage                       of all cores, since the last sample
system/system_memory_usage_megabytes, …_percentage
system/disk_usage_megabytes, …_percentage               of the disk that "/" is on
system/disk_available_megabytes
system/network_receive_megabytes, …_transmit_…          since the sampling began, over all interfaces
system/gpu_0_utilization_percentage                     by NVML's number, as nvidia-smi shows it
system/gpu_0_memory_usage_megabytes, …_percentage
system/gpu_0_power_usage_watts, …_percentage            of the limit that is enforced
system/process_cpu_utilization_percentage               100: one core was busy; since the last sample
system/process_memory_usage_megabytes                   what is resident
"""

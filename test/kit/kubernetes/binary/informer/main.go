// Command informer follows one resource with client-go's shared informer and prints what its handlers are told, one
// JSON object a line: what programs written in Go see of an API server.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

type line struct {
	Event           string `json:"event"`
	Key             string `json:"key,omitempty"`
	ResourceVersion string `json:"resourceVersion,omitempty"`
	Initial         bool   `json:"initial,omitempty"`
}

func main() {
	if len(os.Args) != 6 {
		fmt.Fprintln(os.Stderr, "usage: informer KUBECONFIG GROUP VERSION RESOURCE NAMESPACE (empty for all)")
		os.Exit(2)
	}
	if err := follow(os.Args[1], schema.GroupVersionResource{
		Group: os.Args[2], Version: os.Args[3], Resource: os.Args[4],
	}, os.Args[5]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func follow(kubeconfig string, resource schema.GroupVersionResource, namespace string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(os.Stdout)
	tell := func(event string, object any, initial bool) {
		if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
			object = gone.Obj
		}
		told := line{Event: event, Initial: initial}
		if found, ok := object.(metav1.Object); ok {
			told.Key = found.GetNamespace() + "/" + found.GetName()
			told.ResourceVersion = found.GetResourceVersion()
		}
		// A reader that has gone ends us by SIGPIPE.
		_ = encoder.Encode(told)
	}
	factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(client, 0, namespace, nil)
	informer := factory.ForResource(resource).Informer()
	registration, err := informer.AddEventHandler(cache.ResourceEventHandlerDetailedFuncs{
		AddFunc:    func(object any, initial bool) { tell("added", object, initial) },
		UpdateFunc: func(_, object any) { tell("modified", object, false) },
		DeleteFunc: func(object any) { tell("deleted", object, false) },
	})
	if err != nil {
		return err
	}
	stop := make(chan struct{})
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	factory.Start(stop)
	if cache.WaitForCacheSync(stop, registration.HasSynced) {
		tell("synced", nil, false)
	}
	<-signals
	close(stop)
	factory.Shutdown()
	return nil
}
